import type { DirectoryAnswers } from '../facts.js';
import { examineDirectory } from './examine-directory.js';

// A process of its own: a disk that hangs keeps the threads that wait for it, and with them the end of the process. This
// one may stay behind. When the disk comes back it removes its file, and ends.

const end = new AbortController();
for (const signal of ['SIGTERM', 'SIGINT', 'SIGQUIT', 'SIGHUP'] as const)
  process.on(signal, () => end.abort());
// Whoever asked is gone, or waits no more.
process.once('disconnect', () => end.abort());

const tell = (part: DirectoryAnswers | { trouble: string }): void => {
  if (process.connected) process.send?.(part);
};

// It may have taken a while to start, which is no fault of the disk.
tell({});
try {
  await examineDirectory(process.argv[2] ?? '', tell, end.signal);
} catch (error) {
  tell({ trouble: (error as Error).message });
}
if (process.connected) process.disconnect();
