import type { IncomingHttpHeaders } from 'node:http';
import { FrameError } from './errors.js';

const VERSION = 'x-baton-wire';
const CLUSTER = 'x-baton-cluster';
const DISK = 'x-baton-disk';
/** Sent with an answer when the answering node's disk is slow to finish a write: how long it has taken so far, ms. */
export const WRITING_HEADER = 'x-baton-writing-ms';

/** What a request says about its frame in its HTTP headers, so that it can be refused before its body is read. */
export interface FrameHeaders {
  version: number;
  clusterId: string;
  /** Disk of the node that should get it. */
  toIncarnation: string;
  /** Of the body, which is the frame. */
  byteLength: number;
}

/** As undici takes them: names and values in turn. The length is that of the body, which the connection knows. */
export function writeFrameHeaders({
  version,
  clusterId,
  toIncarnation,
}: Omit<FrameHeaders, 'byteLength'>): string[] {
  return [VERSION, String(version), CLUSTER, clusterId, DISK, toIncarnation];
}

/** @throws FrameError */
export function readFrameHeaders(headers: IncomingHttpHeaders): FrameHeaders {
  // Peers say how long a frame is. A chunked body in pieces of a byte would take a hundred times its size in memory.
  const length = headers['content-length'];
  if (headers['transfer-encoding'] !== undefined || length === undefined) {
    throw new FrameError('wrong-length', 'a body of unknown length');
  }
  const text = (name: string): string => {
    const value = headers[name];
    if (typeof value === 'string') return value;
    throw new FrameError('bad-magic', `not a Baton request: the header ${name} is missing`);
  };
  return {
    version: Number(text(VERSION)),
    clusterId: text(CLUSTER),
    toIncarnation: text(DISK),
    byteLength: Number(length),
  };
}
