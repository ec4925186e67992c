import type { CallOptions } from '../../rpc/clients/json-rpc-client.js';

/** A question to the node: answered by the test, or ended by its signal as a real client's. */
export class Question<T> {
  readonly answers: { resolve: (value: T) => void; reject: (error: Error) => void }[] = [];
  readonly calls: CallOptions[] = [];
  /** Answers at once when set. */
  now: T | Error | undefined;

  ask = (options: CallOptions): Promise<T> => {
    this.calls.push(options);
    return new Promise((resolve, reject) => {
      options.signal?.addEventListener('abort', () => reject(new Error('aborted')));
      this.answers.push({ resolve, reject });
      if (this.now instanceof Error) reject(this.now);
      else if (this.now !== undefined) resolve(this.now);
    });
  };

  get last(): { resolve: (value: T) => void; reject: (error: Error) => void } {
    return this.answers.at(-1)!;
  }
}
