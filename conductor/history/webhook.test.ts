import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { pino } from 'pino';
import type { HistoryEntry } from '../../rpc/server/history.js';
import { Webhook } from './webhook.js';

const entry = (id: string): HistoryEntry => ({
  ...{
    id,
    atMs: 1,
    node: 'a',
    kind: 'operation',
    who: {},
    what: 'conductor_pause',
    result: 'done',
    details: {},
  },
});

let server: Server;
/** Ids of the entries that arrived, in order. */
let came: string[];
let headers: IncomingMessage['headers'][];
/** Statuses of the next answers; null: no answer. After them, 200. */
let answers: (number | null)[];
let outcomes: string[];
let pauses: number[];
let lines: string[];
let webhook: Webhook;

beforeEach(async () => {
  [came, headers, answers, outcomes, pauses, lines] = [[], [], [], [], [], []];
  server = createServer((request, response) => {
    let body = '';
    request.on('data', (piece: Buffer) => (body += piece.toString()));
    request.on('end', () => {
      const posted = JSON.parse(body) as { schemaVersion: number; cluster: string; entry: HistoryEntry };
      expect(posted).toMatchObject({ schemaVersion: 1, cluster: 'c1' });
      came.push(posted.entry.id);
      headers.push(request.headers);
      const status = answers.length > 0 ? answers.shift() : 200;
      if (status !== null) response.writeHead(status ?? 200).end('thanks');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  webhook = webhookTo(
    `http://alice:s3cret@127.0.0.1:${(server.address() as AddressInfo).port}/key?token=s3cret`,
  );
});

afterEach(async () => {
  await webhook.close();
  server.closeAllConnections();
  server.close();
});

function webhookTo(url: string): Webhook {
  return new Webhook({
    url,
    clusterId: () => 'c1',
    onOutcome: (outcome) => void outcomes.push(outcome),
    logger: pino({}, { write: (line: string) => void lines.push(line) }),
    sleep: async (ms) => void pauses.push(ms),
  });
}

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 5));
}

describe('the webhook', () => {
  it('gets every entry once, in order, with the credentials of its URL', async () => {
    for (const id of ['1', '2', '3']) webhook.send(entry(id));
    await until(() => outcomes.length === 3);
    expect(came).toEqual(['1', '2', '3']);
    expect(outcomes).toEqual(['sent', 'sent', 'sent']);
    expect(headers[0]).toMatchObject({
      'content-type': 'application/json',
      authorization: `Basic ${Buffer.from('alice:s3cret').toString('base64')}`,
    });
  });

  it('gets an entry again after a temporary failure, with growing pauses', async () => {
    answers = [500, 429, 503];
    webhook.send(entry('1'));
    webhook.send(entry('2'));
    await until(() => outcomes.length === 2);
    expect(came).toEqual(['1', '1', '1', '1', '2']);
    expect(pauses).toEqual([500, 1000, 2000]);
    expect(lines).toEqual([]);
  });

  it('does not get an entry again that it refuses for good, which is counted and logged without a secret', async () => {
    answers = [403];
    webhook.send(entry('1'));
    await until(() => outcomes.length === 1);
    expect({ came, outcomes }).toEqual({ came: ['1'], outcomes: ['dropped'] });
    expect(lines.map((line) => JSON.parse(line) as object)).toEqual([
      expect.objectContaining({
        reason: 'HTTP status 403',
        id: '1',
        to: expect.stringMatching(/^http:\/\/127/),
      }),
    ]);
    expect(lines.join()).not.toContain('s3cret');
  });

  it('that is missing is given up after some attempts, and its URL is never logged', async () => {
    await webhook.close();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    webhook = webhookTo(`http://alice:s3cret@127.0.0.1:1/key?token=s3cret`);
    webhook.send(entry('1'));
    await until(() => outcomes.length === 1);
    expect(pauses).toEqual([500, 1000, 2000, 4000, 8000, 16_000, 30_000]);
    expect(JSON.parse(lines[0]!)).toMatchObject({ reason: 'ECONNREFUSED', to: 'http://127.0.0.1:1' });
    expect(lines.join()).not.toContain('s3cret');
  });

  it('that hangs blocks nothing, and the newest hundred entries are kept', async () => {
    answers = [null];
    for (let id = 0; id <= 150; id++) webhook.send(entry(String(id)));
    // 51 were dropped: the first, which is in flight, and the newest are kept.
    expect(outcomes).toHaveLength(51);
    expect(JSON.parse(lines.at(-1)!)).toMatchObject({ id: '51', reason: 'too many entries wait' });
    await webhook.close();
    expect(outcomes).toHaveLength(51);
  });
});
