import http from 'node:http';

export interface HttpRequest {
  method: string;
  path: string;
  headers: Record<string, string>;
  body: string | Buffer | null;
}

export interface HttpAnswer {
  status: number;
  /** null when the header is absent. */
  contentType: string | null;
  body: string;
}

/** Sends exactly this request, even if a better HTTP client would object to it. */
export function sendHttp(
  port: number,
  request: HttpRequest,
): Promise<HttpAnswer & { headers: http.IncomingHttpHeaders }> {
  const { method, path, body } = request;
  const length = body === null ? {} : { 'content-length': String(Buffer.byteLength(body)) };
  return new Promise((resolve, reject) => {
    const sent = http.request(
      { host: '127.0.0.1', port, method, path, agent: false, headers: { ...request.headers, ...length } },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            contentType: response.headers['content-type'] ?? null,
            body: Buffer.concat(chunks).toString('utf8'),
            headers: response.headers,
          }),
        );
      },
    );
    sent.on('error', reject);
    sent.end(body ?? undefined);
  });
}

/** Sends a JSON-RPC body the way op-node does. */
export async function sendRpc(port: number, body: string): Promise<HttpAnswer> {
  return sendHttp(port, { method: 'POST', path: '/', headers: { 'content-type': 'application/json' }, body });
}
