import { describe, expect, it } from '@jest/globals';
import type { WireMessage } from './wire-message.js';
import { Admission } from './admission.js';
import type { Frame } from './frame.js';
import { WIRE_VERSIONS } from './wire-versions.js';

const MEMBER_DISK = 'b0';

const admission = new Admission({
  nodeId: () => 'a',
  clusterId: () => 'cluster',
  incarnation: () => 'a0',
  memberIncarnation: (peer) => (peer === 'b' ? MEMBER_DISK : undefined),
  bodyLimitBytes: 1000,
  wireVersions: WIRE_VERSIONS,
  onStray: () => undefined,
});

const granted: WireMessage = { type: 'voteResponse', term: 3, requestId: 1, granted: true, remainingMs: 0 };
const asked: WireMessage = {
  ...{ type: 'preVote', term: 3, requestId: 1 },
  ...{ lastIndex: 0, lastTerm: 0 },
};

const frame = (message: WireMessage, changes: Partial<Frame> = {}): Frame => ({
  ...{ clusterId: 'cluster', from: 'b', fromIncarnation: MEMBER_DISK, bootId: 'boot' },
  ...{ to: 'a', toIncarnation: 'a0', message },
  ...changes,
});

const codeOf = (message: WireMessage, changes: Partial<Frame>, answering?: string): string => {
  try {
    admission.check(frame(message, changes), answering);
    return 'admitted';
  } catch (error) {
    return (error as { code: string }).code;
  }
};

describe('a frame', () => {
  it('is admitted when every part of its address is right', () => {
    expect(codeOf(asked, {})).toBe('admitted');
    expect(codeOf(granted, {}, 'b')).toBe('admitted');
  });

  it.each([
    ['for another node', { to: 'c' }, 'wrong-node'],
    ['for another disk', { toIncarnation: 'a1' }, 'wrong-incarnation'],
    ['of another cluster', { clusterId: 'other' }, 'wrong-cluster'],
  ])('%s is refused, whether it asks or answers', (_, changes, code) => {
    expect(codeOf(asked, changes)).toBe(code);
    expect(codeOf(granted, changes, 'b')).toBe(code);
  });

  it('is not an answer when it comes from another member', () => {
    expect(codeOf(granted, {}, 'c')).toBe('wrong-node');
  });

  it('is not an answer when the disk is not the member’s, but may be a request', () => {
    expect(codeOf(granted, { fromIncarnation: 'b1' }, 'b')).toBe('wrong-incarnation');
    expect(codeOf(asked, { fromIncarnation: 'b1' })).toBe('admitted');
  });

  it('is not an answer when nobody asked, and an answer is not a request', () => {
    expect(codeOf(granted, {})).toBe('malformed');
    expect(codeOf(asked, {}, 'b')).toBe('malformed');
  });
});
