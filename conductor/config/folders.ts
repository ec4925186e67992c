import path from 'node:path';

/** An absolute path, as seen from the folder that the process was started in; empty for an empty text. */
export function absolute(text: string): string {
  return text === '' ? '' : path.resolve(text);
}

/** The folder of a node in `raft.storage.dir`, with all its files. */
export function nodeDirectory({ storageDir, serverId }: { storageDir: string; serverId: string }): string {
  return path.join(storageDir, serverId);
}

/** The folder of its log. */
export function databaseDirectory(raft: { storageDir: string; serverId: string }): string {
  return path.join(nodeDirectory(raft), 'baton');
}

/** A part of the path that only a shell replaces, and that is still there; undefined if there is none. */
export function pathMistake(text: string): string | undefined {
  if (/^~/.test(text)) return 'a leading ~ is not replaced by a home folder';
  if (/\$[A-Za-z_{(]/.test(text)) return 'a variable ($) is not replaced by its value';
  if (/^(["']).*\1$/s.test(text)) return 'the quotation marks are part of the path';
  if (/^file:/.test(text)) return 'a file: URL is read as a relative path';
  return undefined;
}
