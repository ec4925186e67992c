import { EventEmitter } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { describe, expect, it, jest } from '@jest/globals';
import { KIB, MIB } from '../../../common/bytes.js';
import { HEADROOM_BYTES } from '../../payload/unsafe-payload.js';
import { BodyReader } from './body-reader.js';
import { MemoryBudget } from './memory-budget.js';

/** A request whose body comes piece by piece, and its outcome. */
class Upload {
  cutOff = false;
  readonly body: Promise<Buffer>;
  private readonly request = new EventEmitter();
  private readonly response = new EventEmitter();

  constructor(reader: BodyReader, announced?: number) {
    const destroy = (): void => {
      this.cutOff = true;
      this.request.emit('close');
      this.response.emit('close');
    };
    const headers = announced === undefined ? {} : { 'content-length': String(announced) };
    const request = Object.assign(this.request, { headers, socket: { destroy } });
    this.body = reader.read(
      request as unknown as IncomingMessage,
      this.response as unknown as ServerResponse,
    );
    // Some are cut off before the test looks.
    this.body.catch(() => undefined);
  }

  send(...pieces: Buffer[]): this {
    for (const piece of pieces) this.request.emit('data', piece);
    return this;
  }

  end(): this {
    this.request.emit('end');
    return this;
  }

  fail(event: 'error' | 'close'): this {
    this.request.emit(event, new Error('reset'));
    return this;
  }

  answered(): void {
    this.response.emit('close');
  }
}

const bytes = (length: number, value = 1): Buffer => Buffer.alloc(length, value);

describe('BodyReader', () => {
  it.each([
    ['of known length', true],
    ['of unknown length', false],
  ])('puts a body %s together, with room before it', async (_what, isAnnounced) => {
    const pieces = [bytes(1, 1), bytes(70 * KIB, 2), bytes(3 * MIB, 3), bytes(9, 4)];
    const whole = Buffer.concat(pieces);
    const reader = new BodyReader(8 * MIB, new MemoryBudget(32 * MIB));
    const body = await new Upload(reader, isAnnounced ? whole.length : undefined).send(...pieces).end().body;
    expect(body.equals(whole)).toBe(true);
    expect(body.byteOffset).toBe(HEADROOM_BYTES);
    if (isAnnounced) expect(body.buffer.byteLength).toBe(HEADROOM_BYTES + whole.length);
  });

  it('is empty for a request without a body', async () => {
    expect(await new Upload(new BodyReader(KIB, new MemoryBudget(KIB))).end().body).toHaveLength(0);
  });

  it('refuses a body above the limit, with any announced length', async () => {
    const reader = new BodyReader(KIB, new MemoryBudget(10 * KIB));
    const exact = new Upload(reader, KIB).send(bytes(KIB)).end();
    await expect(exact.body).resolves.toHaveLength(KIB);
    const larger = new Upload(reader, 10).send(bytes(KIB), bytes(1));
    await expect(larger.body).rejects.toMatchObject({ statusCode: 413 });
  });

  it('refuses a body in pieces of a few bytes, once there are many', async () => {
    const reader = new BodyReader(4 * MIB, new MemoryBudget(16 * MIB));
    const pieces = Array.from({ length: 5000 }, () => bytes(1));
    await expect(new Upload(reader).send(...pieces).body).rejects.toMatchObject({ statusCode: 400 });
    const fair = Array.from({ length: 5000 }, () => bytes(512));
    await expect(new Upload(reader).send(...fair).end().body).resolves.toHaveLength(512 * 5000);
  });

  it.each(['error', 'close'] as const)('rejects a body that ends by %s', async (event) => {
    const upload = new Upload(new BodyReader(KIB, new MemoryBudget(KIB)), 100).send(bytes(10)).fail(event);
    await expect(upload.body).rejects.toMatchObject({ statusCode: 400 });
  });

  it('cuts off only the one that held the most for the longest', async () => {
    const clock = jest.spyOn(performance, 'now').mockReturnValue(0);
    try {
      const reader = new BodyReader(100 * KIB, new MemoryBudget(250 * KIB));
      const old = new Upload(reader, 80 * KIB).send(bytes(10));
      const older = new Upload(reader, 90 * KIB).send(bytes(10));
      clock.mockReturnValue(1000);
      const fresh = new Upload(reader, 100 * KIB).send(bytes(100 * KIB)).end();
      expect([old.cutOff, older.cutOff, fresh.cutOff]).toEqual([false, true, false]);
      await expect(older.body).rejects.toMatchObject({ statusCode: 400 });
      await expect(fresh.body).resolves.toHaveLength(100 * KIB);
      await expect(old.send(bytes(80 * KIB - 10)).end().body).resolves.toHaveLength(80 * KIB);
    } finally {
      clock.mockRestore();
    }
  });

  it('counts a body until its answer is read, and no longer', async () => {
    const reader = new BodyReader(100 * KIB, new MemoryBudget(250 * KIB));
    const uploads: Upload[] = [];
    for (let round = 0; round < 20; round++) {
      const upload = new Upload(reader, 100 * KIB).send(bytes(100 * KIB)).end();
      await upload.body;
      upload.answered();
      uploads.push(upload);
    }
    expect(uploads.filter(({ cutOff }) => cutOff)).toEqual([]);
    const unread = [1, 2, 3].map(() => new Upload(reader, 100 * KIB).send(bytes(100 * KIB)).end());
    expect(unread.filter(({ cutOff }) => cutOff)).toHaveLength(1);
  });
});
