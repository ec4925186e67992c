import type { DirectoryAnswers } from '../facts.js';
import { examineDirectory } from './examine-directory.js';

// A separate process: a hung disk keeps the threads that wait for it, and so keeps the process from ending. It may be
// left behind. When the disk comes back, it removes its file, and ends.

const end = new AbortController();
for (const signal of ['SIGTERM', 'SIGINT', 'SIGQUIT', 'SIGHUP'] as const)
  process.on(signal, () => end.abort());
// The parent is gone, or no longer waits.
process.once('disconnect', () => end.abort());

const tell = (part: DirectoryAnswers | { trouble: string }): void => {
  if (process.connected) process.send?.(part);
};

// It may have started slowly, which is not the disk's fault.
tell({});
try {
  await examineDirectory(process.argv[2] ?? '', tell, end.signal);
} catch (error) {
  tell({ trouble: (error as Error).message });
}
if (process.connected) process.disconnect();
