import { describe, expect, it } from '@jest/globals';
import { helpText } from './help.js';
import { parsed, problemsOf, required } from './testing/command-line.js';

/** The required settings of a witness. */
const least = ['consensus.addr', 'consensus.port', 'raft.server.id', 'raft.storage.dir'] as const;
const leastArguments = least.map((name) => `--${name}=${required[name]}`);

describe('a witness', () => {
  it('needs no settings for a node, by flag or variable', () => {
    expect(parsed([...leastArguments, '--witness']).config.witness).toBe(true);
    expect(parsed(leastArguments, { OP_CONDUCTOR_WITNESS: '1' }).config.witness).toBe(true);
    expect(helpText()).toMatch(/--node\.rpc <text>\n.*\n\s+\(required but for a witness, env:/);
  });

  it.each(['--witness=false', '--paused'])('%s: any other member needs them all', (flag) => {
    const missing = problemsOf([...leastArguments, flag]);
    expect(missing.map((text) => /flag (\S+) is required/.exec(text)?.[1])).toEqual([
      'node.rpc',
      'execution.rpc',
      'healthcheck.interval',
      'healthcheck.unsafe-interval',
      'healthcheck.min-peer-count',
    ]);
  });

  it('still needs the settings of consensus', () => {
    const [problem, ...more] = problemsOf([...leastArguments.slice(0, -1), '--witness']);
    expect(problem).toContain('flag raft.storage.dir is required');
    expect(more).toEqual([]);
  });

  it('accepts limits of health checks that all members share, which have no effect', () => {
    const limits = [
      '--healthcheck.interval=1',
      '--healthcheck.min-peer-count=0',
      '--healthcheck.safe-enabled',
    ];
    expect(problemsOf([...leastArguments, '--witness', ...limits])).toEqual([]);
  });

  it.each([
    ['node.rpc', '=http://op-node'],
    ['execution.rpc', '=http://geth'],
    ['rollupboost.ws-url', '=ws://rb'],
    ['rollup-boost.enabled', ''],
    ['rollup-boost.next-enabled', ' --rollup-boost.next-healthcheck-url=http://rb'],
    ['healthcheck.execution-p2p-enabled', ' --healthcheck.execution-p2p-min-peer-count=1'],
  ])('is refused with %s', (name, rest) => {
    const [problem, ...more] = problemsOf([...leastArguments, '--witness', ...`--${name}${rest}`.split(' ')]);
    expect(problem).toContain(`${name} is given to a witness, which has no node: leave ${name} out`);
    expect(problem).toContain(`(--${name} or OP_CONDUCTOR_`);
    expect(more).toEqual([]);
  });

  it('must not found a cluster alone, but may be in a list of peers', () => {
    expect(problemsOf([...leastArguments, '--witness', '--raft.bootstrap'])).toEqual([
      expect.stringContaining('a witness cannot form a cluster alone: bootstrap a member with a node'),
    ]);
    const peers = `--raft.peers=${required['raft.server.id']}@h:1,b@h:2,c@h:3`;
    expect(problemsOf([...leastArguments, '--witness', peers])).toEqual([]);
  });
});
