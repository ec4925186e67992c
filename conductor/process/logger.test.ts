import { describe, expect, it } from '@jest/globals';
import type { Config } from '../config/config.js';
import { parseConfig } from '../config/parse-config.js';
import { LogTail } from './log-tail.js';
import { createLogger } from './logger.js';

const REQUIRED = [
  ...['--raft.server.id', 'a', '--raft.storage.dir', '/nowhere', '--consensus.addr', '127.0.0.1'],
  ...['--consensus.port', '50050', '--node.rpc', 'http://x', '--execution.rpc', 'http://y'],
  ...['--healthcheck.interval', '1', '--healthcheck.unsafe-interval', '5'],
  ...['--healthcheck.min-peer-count', '1'],
];

function configOf(flags: string[]): Config {
  const parsed = parseConfig([...REQUIRED, ...flags], {});
  if (!('config' in parsed)) throw new Error('no configuration');
  return parsed.config;
}

/** The output for a few messages. */
const written = (...flags: string[]): string[] => log(flags).lines;

const writtenBy = (program: string, ...flags: string[]): string[] => log(flags, program).lines;

/** The same, together with what is kept in memory. */
function log(flags: string[], program = 'baton'): { lines: string[]; tail: LogTail } {
  const lines: string[] = [];
  const tail = new LogTail();
  const out = { write: (line: string) => void lines.push(line) };
  const logger = createLogger(configOf(flags), { out, tail, program });
  logger.info({ number: 7, hash: '0xab', reason: 'a "good" one', peers: ['b', 'c'] }, 'head moved');
  logger.child({ part: 'raft' }).warn('alone');
  logger.debug('detail');
  logger.fatal({ err: new Error('boom') }, 'exiting');
  return { lines, tail };
}

const DAY = '\\d{4}-\\d\\d-\\d\\d';
const CLOCK = '\\d\\d:\\d\\d:\\d\\d';

describe('log.format', () => {
  it.each([[[]], [['--log.format', 'json']], [['--log.format', 'jsonms']]])('JSON by %j', (flags) => {
    const [first, second] = written(...flags).map((line) => JSON.parse(line) as object);
    expect(first).toMatchObject({ level: 30, msg: 'head moved', node: 'a', number: 7, peers: ['b', 'c'] });
    expect(second).toMatchObject({ level: 40, msg: 'alone', part: 'raft' });
  });

  it.each([['json'], ['jsonms']])('26: op-conductor writes %s with the names of go-ethereum', (format) => {
    const lines = writtenBy('op-conductor', '--log.format', format);
    const [first, second, fatal] = lines.map((line) => JSON.parse(line) as object);
    expect(first).toEqual({
      lvl: 'info',
      t: expect.stringMatching(new RegExp(`^${DAY}T${CLOCK}\\.\\d{3}Z$`)),
      node: 'a',
      ...{ number: 7, hash: '0xab', reason: 'a "good" one', peers: ['b', 'c'], msg: 'head moved' },
    });
    expect(second).toMatchObject({ lvl: 'warn', part: 'raft', msg: 'alone' });
    expect(fatal).toMatchObject({ lvl: 'crit', err: 'boom', stack: expect.stringContaining('Error: boom') });
  });

  it('26: op-conductor writes other formats as baton does', () => {
    expect(writtenBy('op-conductor', '--log.format', 'logfmt')[0]).toMatch(
      /^t=.* lvl=info msg="head moved" /,
    );
  });

  it.each([
    ['logfmt', ''],
    ['logfmtms', '\\.\\d{3}'],
    // The tests have no terminal.
    ['text', ''],
  ])('%s: one pair after the other', (format, fraction) => {
    const [first, second, fatal] = written('--log.format', format);
    const moment = `t=${DAY}T${CLOCK}${fraction}\\+0000`;
    expect(first).toMatch(
      new RegExp(
        `^${moment} lvl=info msg="head moved" node=a number=7 hash=0xab reason="a \\\\"good\\\\" one" peers="\\[.*\\]"\n$`,
      ),
    );
    expect(second).toMatch(new RegExp(`^${moment} lvl=warn msg=alone node=a part=raft\n$`));
    expect(fatal).toMatch(
      new RegExp(`^${moment} lvl=crit msg=exiting node=a err=boom stack="Error: boom\\\\n.*"\n$`),
    );
  });

  it('terminal: level and message first, coloured on demand', () => {
    const [first] = written('--log.format', 'terminal');
    expect(first).toMatch(
      new RegExp(`^INFO \\[\\d\\d-\\d\\d\\|${CLOCK}\\.\\d{3}\\] head moved {31}node=a number=7 hash=0xab `),
    );
    const [colored] = written('--log.format', 'terminal', '--log.color');
    const green = (text: string): string => `\u001b[32m${text}\u001b[0m`;
    expect(colored?.startsWith(`${green('INFO ')}[`)).toBe(true);
    expect(colored).toContain(` ${green('node')}=a `);
  });
});

describe('log.level', () => {
  it.each([
    ['TRACE', 4],
    ['dbug', 4],
    ['info', 3],
    ['Warn', 2],
    ['eror', 1],
    ['crit', 1],
  ])('%s: %d of the four messages', (level, count) => {
    expect(written('--log.level', level)).toHaveLength(count);
  });
});

describe('what is kept in memory', () => {
  it.each(['info', 'crit', 'trace'])('is JSON from level debug on, also with log.level %s', (level) => {
    const { tail } = log(['--log.level', level, '--log.format', 'logfmt']);
    const messages = tail.lines.map((line) => (JSON.parse(line) as { msg: string }).msg);
    expect(messages).toEqual(['head moved', 'alone', 'detail', 'exiting']);
  });
});
