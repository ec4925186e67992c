import type { DirectoryContents, DiskSpeed, MachineFacts } from '../facts.js';
import { failure, ok, warning, type Finding } from './finding.js';

const MIB = 1 << 20;
/** Besides the retained log: tables that are not compacted yet, and a snapshot while it is replaced. */
const COMFORTABLE_RETENTIONS = 4;
/** op-node waits one second for a commit. */
const COMMIT_MS = 1000;

type Facts = Pick<MachineFacts, 'directory' | 'retentionBytes' | 'timing' | 'alreadyRuns'>;

/** Whether Baton can keep its log there. */
export function judgeDirectory(facts: Facts): Finding[] {
  const { directory, answers, trouble } = facts.directory;
  const found = [...placeAndContents(facts), ...spaceOf(facts), ...speedOf(facts)];
  if (trouble === null) return found;
  return [...found, failure('directory', 'disk-silent', `${directory}: ${trouble}${missingOf(answers)}`)];
}

/** Questions without an answer, in the order in which they are asked. */
function missingOf(answers: Facts['directory']['answers']): string {
  const words = {
    ...{ place: 'where it is', space: 'its space', contents: 'what it holds' },
    ...{ lock: 'whether it is in use', speed: 'its speed' },
  } as const;
  const [first] = Object.entries(words).filter(([part]) => !(part in answers));
  return first === undefined ? '' : ` (asked for ${first[1]})`;
}

function placeAndContents({ directory: { directory, answers }, alreadyRuns }: Facts): Finding[] {
  const { place, contents, lock } = answers;
  if (!place) return [];
  const { existing, isDirectory, isWritable, ownerUid, ownUid } = place;
  if (!isDirectory) return [failure('directory', 'bad-directory', `${existing} is no directory`)];
  if (!isWritable) {
    const who = ownerUid === ownUid ? '' : `; it belongs to user ${ownerUid}, this is user ${ownUid}`;
    return [failure('directory', 'bad-directory', `this user cannot write in ${existing}${who}`)];
  }
  if (!contents) return [];
  if (lock === 'held' && !alreadyRuns) {
    return [failure('directory', 'directory-in-use', `${directory} is in use by another process`)];
  }
  if (typeof lock === 'object') {
    return [failure('directory', 'bad-directory', `${directory}: ${lock.error}`)];
  }
  return [ofContents(directory, existing, contents)];
}

function ofContents(directory: string, existing: string, { kind, files }: DirectoryContents): Finding {
  switch (kind) {
    case 'absent':
      return ok('directory', `${directory} will be created in ${existing}`);
    case 'empty':
      return ok('directory', `${directory} is empty`);
    case 'baton':
      return ok('directory', `${directory} holds the log of a member`);
    case 'other-database':
      return failure('directory', 'foreign-directory', `${directory} holds a database that is not Baton's`);
    case 'headless-database':
      return failure(
        'directory',
        'headless-database',
        `${directory} holds tables of a database, but no CURRENT file`,
      );
    case 'other-files':
      return warning('directory', 'other-files', `${directory} holds other files: ${files.join(', ')}`);
  }
}

function spaceOf({ directory: { answers }, retentionBytes }: Facts): Finding[] {
  const { space } = answers;
  if (!space) return [];
  const mib = (bytes: number): string => `${Math.round(bytes / MIB)} MiB`;
  const seen = `${mib(space.freeBytes)} free of ${mib(space.sizeBytes)}`;
  if (space.freeBytes < retentionBytes) {
    const text = `${seen}: less than the ${mib(retentionBytes)} of the log`;
    return [failure('disk-space', 'disk-full', text)];
  }
  if (space.freeBytes < COMFORTABLE_RETENTIONS * retentionBytes) {
    const text = `${seen}: less than ${COMFORTABLE_RETENTIONS} times the ${mib(retentionBytes)} of the log`;
    return [warning('disk-space', 'little-space', text)];
  }
  return [ok('disk-space', seen)];
}

function speedOf({ directory: { answers }, timing }: Facts): Finding[] {
  const { place, speed } = answers;
  if (!speed || !place?.isWritable) return [];
  if ('error' in speed) {
    return [failure('disk-speed', 'bad-directory', `synced writes cannot be measured: ${speed.error}`)];
  }
  const seen = `synced writes take ${ms(speed.medianMs)}, the slowest ${ms(speed.slowestMs)} (${speed.writes} in ${speed.at})`;
  return [ofSpeed(speed, seen, timing.electionTimeoutMs)];
}

function ofSpeed({ medianMs, slowestMs }: DiskSpeed, seen: string, electionTimeoutMs: number): Finding {
  // Every commit would come too late.
  if (medianMs >= COMMIT_MS) return failure('disk-speed', 'slow-disk', seen);
  if (slowestMs >= Math.min(electionTimeoutMs, COMMIT_MS)) return warning('disk-speed', 'slow-disk', seen);
  return ok('disk-speed', seen);
}

const ms = (value: number): string => `${value < 10 ? value.toFixed(1) : Math.round(value)} ms`;
