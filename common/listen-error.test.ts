import { describe, expect, it } from '@jest/globals';
import { listening, ListenError } from './listen-error.js';

const failing = (code: string): Promise<never> =>
  listening('RPC', ['rpc.addr', 'rpc.port'], () =>
    Promise.reject(Object.assign(new Error(`listen ${code} 10.0.0.1:1`), { code })),
  );

describe('a port that cannot be listened on', () => {
  it.each([
    ['EADDRINUSE', 'port-in-use'],
    ['EACCES', 'port-forbidden'],
    ['EADDRNOTAVAIL', 'address-not-here'],
    ['ENOTFOUND', 'name-unknown'],
  ])('%s is %s, with what to do', async (systemCode, code) => {
    const error = await failing(systemCode).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(ListenError);
    expect(error).toMatchObject({
      code,
      message: `cannot listen on the RPC port: listen ${systemCode} 10.0.0.1:1`,
      remedy: expect.stringMatching(/.{20,} \(--rpc\.addr, --rpc\.port\)$/),
    });
  });

  it('is nothing else', async () => {
    await expect(failing('EIO')).rejects.not.toBeInstanceOf(ListenError);
    expect(await listening('RPC', [], async () => 7)).toBe(7);
  });
});
