const GIVE_UP_AFTER_MS = 20_000;
const POLL_MS = 5;

/** Waits until `find` finds something and returns it. @throws Error when that takes too long */
export async function eventually<T>(find: () => T | undefined | false, what: string): Promise<T> {
  const deadlineMs = performance.now() + GIVE_UP_AFTER_MS;
  for (;;) {
    const found = find();
    if (found !== undefined && found !== false) return found;
    if (performance.now() > deadlineMs) throw new Error(`timed out: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}
