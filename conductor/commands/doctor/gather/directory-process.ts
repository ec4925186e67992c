import type { DirectoryAnswers } from '../facts.js';
import { examineDirectory, removeScratch } from './examine-directory.js';

// A process of its own: a disk that hangs keeps the threads that wait for it, and with them the end of the process.

const endEarly = (): void => {
  removeScratch();
  process.exit(1);
};
for (const signal of ['SIGTERM', 'SIGINT', 'SIGQUIT', 'SIGHUP'] as const) process.on(signal, endEarly);
// The parent is gone.
process.once('disconnect', endEarly);

const answer = (part: DirectoryAnswers): void => void process.send?.(part);

// It may have taken a while to start, which is no fault of the disk.
answer({});
try {
  await examineDirectory(process.argv[2] ?? '', answer);
} catch (error) {
  process.send?.({ trouble: (error as Error).message });
}
process.removeListener('disconnect', endEarly);
process.disconnect();
