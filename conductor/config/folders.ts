import path from 'node:path';

/** An absolute path, as seen from the folder that the process was started in; empty for an empty text. */
export function absolute(text: string): string {
  return text === '' ? '' : path.resolve(text);
}

/** Where a node keeps everything: its folder in `raft.storage.dir`. */
export function nodeDirectory({ storageDir, serverId }: { storageDir: string; serverId: string }): string {
  return path.join(storageDir, serverId);
}

/** Where its log is. */
export function databaseDirectory(raft: { storageDir: string; serverId: string }): string {
  return path.join(nodeDirectory(raft), 'baton');
}

/** What in a path only a shell understands, and nobody has replaced; undefined if it is nothing but a path. */
export function pathMistake(text: string): string | undefined {
  if (/^~/.test(text)) return 'a leading ~ is not replaced by a home folder';
  if (/\$[A-Za-z_{(]/.test(text)) return 'a variable ($) is not replaced by its value';
  if (/^(["']).*\1$/s.test(text)) return 'the quotation marks are part of the path';
  if (/^file:/.test(text)) return 'a file: URL is read as a relative path';
  return undefined;
}
