import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { covered } from './dsl/scenario.js';
import { orphans } from './dsl/transcript.js';
import './votes.js';
import './elections.js';
import './replication.js';
import './membership.js';
import './transfer.js';
import './time-and-reads.js';
import './snapshots-and-clients.js';
import './real-storage.js';
import './real-network.js';

/** Bugs in the catalogue (raft.md §2). */
const BUGS = 71;

describe('the catalogue of bugs', () => {
  const readme = readFileSync(new URL('./README.md', import.meta.url), 'utf8');
  const excused = [...readme.matchAll(/^\| (\d+) +\|/gm)].map(([, bug]) => Number(bug));

  it('has a scenario for each bug, or a reason why there is none', () => {
    const accounted = [...covered, ...excused].sort((x, y) => x - y);
    expect(accounted).toEqual(Array.from({ length: BUGS }, (_, i) => i + 1));
  });
});

describe('the transcripts', () => {
  it('are all of scenarios that there are', () => {
    expect(orphans()).toEqual([]);
  });
});
