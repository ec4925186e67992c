import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import type { Finding } from './judge/finding.js';
import { judgeMachine } from './judge/judge-machine.js';
import { renderFindings, renderFindingsJson } from './render-findings.js';
import { batonPeer, goodAnswers, goodMachine, goodNode } from './testing/machine-facts.js';

/** Compares with a file; `UPDATE_GOLDEN=1` writes it. */
function expectGolden(name: string, text: string): void {
  const file = new URL(`golden/${name}`, import.meta.url);
  if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(file, `${text}\n`);
  expect(text).toBe(readFileSync(file, 'utf8').trimEnd());
}

const { opNode } = goodNode;

const FINDINGS: [string, Finding[]][] = [
  ['ok', judgeMachine(goodMachine)],
  [
    'warning',
    judgeMachine({
      ...goodMachine,
      peers: ['b', 'c'].map((id) => ({ ...batonPeer(id), found: { kind: 'refused', reason: '' } })),
    }),
  ],
  [
    'failure',
    judgeMachine({
      ...goodMachine,
      directory: {
        directory: '/data/a/baton',
        answers: { place: goodAnswers.place },
        trouble: 'the disk has not answered for 5000 ms',
      },
      peers: [batonPeer('b', { peersDigest: 'xyz' })],
      node: { ...goodNode, opNode: { ...opNode, conductorEnabled: { value: false } } },
    }),
  ],
];

describe.each(FINDINGS)('%s', (name, findings) => {
  it('as a table', () => expectGolden(`${name}.txt`, renderFindings(findings)));

  it('as JSON', () => expectGolden(`${name}.json.txt`, renderFindingsJson(findings)));

  it('fits 80 columns', () => {
    const longest = Math.max(
      ...renderFindings(findings)
        .split('\n')
        .map((line) => line.length),
    );
    expect(longest).toBeLessThanOrEqual(80);
  });
});

it('does not break a word that is longer than the line, so that it can be copied', () => {
  const text = `http://${'x'.repeat(100)}`;
  const finding: Finding = {
    check: 'op-node',
    level: 'ok',
    code: null,
    text: `at ${text} now`,
    remedy: null,
  };
  expect(
    renderFindings([finding])
      .split('\n')
      .map((line) => line.trim()),
  ).toContain(text);
});
