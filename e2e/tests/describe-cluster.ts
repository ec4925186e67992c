import { it } from '@jest/globals';

/** Something that can tell what its processes did. */
interface Reporter {
  report(): string;
}

/** Defines a test on running processes: when it fails, their logs are printed. */
export function story(
  name: string,
  processes: () => Reporter | undefined,
  body: () => Promise<void>,
  timeoutMs = 90_000,
): void {
  it(
    name,
    async () => {
      try {
        await body();
      } catch (error) {
        console.error(`${name}\n${processes()?.report() ?? 'nothing was started'}`);
        throw error;
      }
    },
    timeoutMs,
  );
}
