/** An answer that carries a JSON-RPC error object. */
class JsonRpcError extends Error {
  constructor(
    readonly method: string,
    readonly code: number,
    readonly text: string,
  ) {
    super(`${method}: ${text} (${code})`);
    this.name = 'JsonRpcError';
  }
}

interface Answer {
  id: number;
  result?: unknown;
  error?: { code: number; message: string };
}

/** Calls one method and returns its result. Throws {@link JsonRpcError}, or an error that names the URL. */
export async function call<T>(
  url: string,
  method: string,
  params: unknown[] = [],
  deadlineMs = 3_000,
): Promise<T> {
  const answer = (await post(url, { jsonrpc: '2.0', id: 1, method, params }, deadlineMs)) as Answer;
  return resultOf<T>(method, answer);
}

/** Calls one method with many parameter lists in one request; results come in the order of the lists. */
export async function callBatch<T>(url: string, method: string, paramLists: unknown[][]): Promise<T[]> {
  const requests = paramLists.map((params, id) => ({ jsonrpc: '2.0', id, method, params }));
  const answers = (await post(url, requests, 20_000)) as Answer[];
  answers.sort((a, b) => a.id - b.id);
  return answers.map((answer) => resultOf<T>(method, answer));
}

async function post(url: string, body: unknown, deadlineMs: number): Promise<unknown> {
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(deadlineMs),
    });
    return await response.json();
  } catch (error) {
    // fetch says only "fetch failed"; its cause knows more.
    const { message, cause } = error as Error;
    throw new Error(`${url}: ${cause instanceof Error ? cause.message : message}`, { cause: error });
  }
}

function resultOf<T>(method: string, answer: Answer): T {
  if (answer.error) throw new JsonRpcError(method, answer.error.code, answer.error.message);
  return answer.result as T;
}
