import { BaseError, http } from 'viem';

interface RequestOptions {
  deadlineMs?: number;
  batch?: { batchSize: number };
}

/** Calls one method and returns its result. @throws Error that names the URL and says what went wrong, in one line */
export function call<T>(
  url: string,
  method: string,
  params: unknown[] = [],
  deadlineMs?: number,
): Promise<T> {
  return caller(url, deadlineMs === undefined ? {} : { deadlineMs })<T>(method, params);
}

/** Calls one method with many parameter lists in one request; results come in the order of the lists. */
export function callBatch<T>(url: string, method: string, paramLists: unknown[][]): Promise<T[]> {
  const callOne = caller(url, { deadlineMs: 20_000, batch: { batchSize: paramLists.length } });
  return Promise.all(paramLists.map((params) => callOne<T>(method, params)));
}

function caller(url: string, { deadlineMs = 3_000, batch }: RequestOptions) {
  const { request } = http(url, { timeout: deadlineMs, ...(batch && { batch }) })({ retryCount: 0 });
  return async <T>(method: string, params: unknown[]): Promise<T> => {
    try {
      const result: unknown = await request({ method, params });
      return result as T;
    } catch (error) {
      throw new Error(`${method} at ${url}: ${reasonOf(error as Error)}`, { cause: error });
    }
  };
}

/** viem's own message has many lines. The deepest cause says what happened. */
function reasonOf(error: Error): string {
  const cause = error instanceof BaseError ? error.walk() : error;
  return cause instanceof BaseError ? cause.shortMessage : cause.message;
}
