import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { readCallerHeaders, type SaidByCaller } from '../caller-headers.js';

/** What a fake server does with a request. */
export type FakeAnswer =
  | { result: unknown }
  | { error: { code: number; message: string; data?: unknown } }
  /** A recorded body, sent unchanged except for the id of the request. */
  | { recorded: string }
  /** Any bytes with any status. */
  | { raw: string; status?: number }
  /** Headers and half a body, then nothing. */
  | { stallAfter: string }
  | 'hang'
  | 'reset';

export interface FakeRequest {
  method: string;
  params: unknown[];
  /** The request body, as it came. */
  body: string;
  authorization: string | undefined;
  /** The caller and its reason. */
  said: SaidByCaller;
}

/** A JSON-RPC server on loopback for tests; `answer` may be replaced at any time. */
export interface FakeRpcServer {
  readonly url: string;
  readonly requests: FakeRequest[];
  answer: (request: FakeRequest) => FakeAnswer;
  /** Open connections. */
  openConnections(): Promise<number>;
  close(): Promise<void>;
}

export async function startFakeRpcServer(
  answer: (request: FakeRequest) => FakeAnswer,
  port = 0,
): Promise<FakeRpcServer> {
  const requests: FakeRequest[] = [];
  const server = createServer((req, res) => void handle(req, res));
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });

  const fake: FakeRpcServer = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    answer,
    openConnections: () =>
      new Promise((resolve, reject) =>
        server.getConnections((error, n) => (error ? reject(error) : resolve(n))),
      ),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };

  async function handle(req: IncomingMessage, res: ServerResponse): Promise<void> {
    let body = '';
    for await (const chunk of req.setEncoding('utf8')) body += chunk as string;
    const { id, method, params } = JSON.parse(body) as { id: number; method: string; params: unknown[] };
    const { authorization } = req.headers;
    const request = { method, params, body, authorization, said: readCallerHeaders(req.headers) };
    requests.push(request);
    const reply = fake.answer(request);
    if (reply === 'hang') return;
    if (reply === 'reset') {
      res.socket?.resetAndDestroy();
      return;
    }
    res.setHeader('content-type', 'application/json');
    if ('stallAfter' in reply) {
      res.write(reply.stallAfter);
      return;
    }
    if ('raw' in reply) {
      res.statusCode = reply.status ?? 200;
      res.end(reply.raw);
      return;
    }
    const message =
      'recorded' in reply ? (JSON.parse(reply.recorded) as object) : { jsonrpc: '2.0', ...reply };
    res.end(JSON.stringify({ ...message, id }));
  }

  return fake;
}
