import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { addr, CommandLine } from './testing/command-line.js';

let t: CommandLine;

beforeEach(async () => {
  t = await CommandLine.start();
});
afterEach(() => t.stop());

describe('add', () => {
  it('waits for the vote', async () => {
    await t.cluster.add('d', 1);
    t.cluster.onView = (views) => void (views === 5 && (t.cluster.get('d').suffrage = 0));
    expect(await t.baton('add', 'd', addr('d'))).toBe(0);
    expect(t.cluster.calls).toEqual([`a conductor_addServerAsVoter ["d","${addr('d')}",0]`]);
    expect(t.printed.at(-1)).toContain(`d at ${addr('d')} is a voter; members: a, b, c, d; leader: a`);
    expect(t.cluster.views).toBeGreaterThan(4);
  });

  it('--nonvoter does not wait for a vote', async () => {
    await t.cluster.add('d', 1);
    expect(await t.baton('add', 'd', addr('d'), '--nonvoter')).toBe(0);
    expect(t.printed.at(-1)).toContain('d (no vote)');
  });

  it('passes on the reason of a refusal', async () => {
    t.cluster.onCall = () => ({ error: { code: -32000, message: 'cannot reach d at 127.0.0.1:1: refused' } });
    expect(await t.baton('add', 'd', '127.0.0.1:1')).toBe(1);
    expect(t.failure()).toEqual([
      `error: ${t.cluster.url('a')} answers: cannot reach d at 127.0.0.1:1: refused`,
      'refused',
    ]);
  });
});

describe('remove', () => {
  const removing = (): void => {
    t.cluster.onCall = (_id, _method, [id]) => {
      void t.cluster.get(id as string).server.close();
      t.cluster.members.delete(id as string);
      return { result: null };
    };
  };

  it('waits until no member lists it', async () => {
    removing();
    expect(await t.baton('remove', 'c', '--force')).toBe(0);
    expect(t.cluster.calls).toEqual(['a conductor_removeServer ["c",0]']);
    expect(t.printed.at(-1)).toContain('c is not a member any more; members: a, b; leader: a');
  });

  it('refuses if the quorum would be lost', async () => {
    await t.cluster.kill('b');
    expect(await t.baton('remove', 'c')).toBe(1);
    expect(t.failure()).toEqual([
      'error: without c, 1 of 2 voters would answer, and 2 are needed',
      'would-lose-quorum',
    ]);
    expect(t.cluster.calls).toEqual([]);
    removing();
    expect(await t.baton('remove', 'c', '--force')).toBe(0);
    expect(t.cluster.calls).toEqual(['a conductor_removeServer ["c",0,true]']);
  });

  it('removes a dead member', async () => {
    removing();
    await t.cluster.kill('b');
    expect(await t.baton('remove', 'b')).toBe(0);
  });

  it('refuses an unknown id', async () => {
    expect(await t.baton('remove', 'x')).toBe(1);
    expect(t.failure()[1]).toBe('not-a-member');
  });
});

describe('demote', () => {
  it('waits until every member knows that it has no vote', async () => {
    t.cluster.onCall = (_id, _method, [id]) => ((t.cluster.get(id as string).suffrage = 1), { result: null });
    expect(await t.baton('demote', 'c', '--force')).toBe(0);
    expect(t.cluster.calls).toEqual(['a conductor_demoteVoter ["c",0]']);
    expect(t.printed.at(-1)).toContain('c has no vote any more; members: a, b, c (no vote); leader: a');
    expect(await t.baton('demote', 'c')).toBe(1);
    expect(t.failure()).toEqual(['error: c has no vote', 'not-a-voter']);
  });

  it('refuses if the quorum would be lost, and tells the leader if it is forced', async () => {
    await t.cluster.kill('b');
    expect(await t.baton('demote', 'c')).toBe(1);
    expect(t.failure()[1]).toBe('would-lose-quorum');
    t.cluster.onCall = (_id, _method, [id]) => ((t.cluster.get(id as string).suffrage = 1), { result: null });
    expect(await t.baton('demote', 'c', '--force')).toBe(0);
    expect(t.cluster.calls).toEqual(['a conductor_demoteVoter ["c",0,true]']);
  });
});

describe('replace', () => {
  const replacing = (): void => {
    t.cluster.onCall = (_id, _method, [old, id]) => {
      t.cluster.members.delete(old as string);
      t.cluster.get(id as string).suffrage = 0;
      return { result: null };
    };
  };

  it('waits until the newcomer votes and no member lists the other', async () => {
    await t.cluster.add('d', null);
    t.cluster.onView = (views) => {
      if (views === 4) t.cluster.get('d').suffrage = 0;
      if (views === 6) t.cluster.get('c').suffrage = null;
    };
    expect(await t.baton('replace', 'c', 'd', addr('d'))).toBe(0);
    expect(t.cluster.views).toBeGreaterThanOrEqual(6);
    expect(t.cluster.calls).toEqual([`a conductor_replaceServer ["c","d","${addr('d')}",0]`]);
    expect(t.printed.at(-1)).toContain(
      `d at ${addr('d')} is a voter in place of c; members: a, b, d; leader: a`,
    );
  });

  it('replaces a dead member, and does not ask again when repeated', async () => {
    await t.cluster.add('d', 1);
    await t.cluster.kill('c');
    replacing();
    expect(await t.baton('replace', 'c', 'd', addr('d'))).toBe(0);
    expect(await t.baton('replace', 'c', 'd', addr('d'))).toBe(0);
    expect(t.cluster.calls).toHaveLength(1);
  });

  it('says what is missing at its deadline', async () => {
    await t.cluster.add('d', 1);
    expect(await t.baton('replace', 'c', 'd', addr('d'), '--deadline', '300ms')).toBe(1);
    expect(t.failure()).toEqual([`error: after 300ms: d is no voter at ${addr('d')} yet`, 'deadline']);
    t.cluster.onCall = () => ((t.cluster.get('d').suffrage = 0), { result: null });
    expect(await t.baton('replace', 'c', 'd', addr('d'), '--deadline', '300ms')).toBe(1);
    expect(t.failure()).toEqual(['error: after 300ms: c is a member still', 'deadline']);
  });

  it('passes on the reason of a refusal', async () => {
    t.cluster.onCall = () => ({ error: { code: -32000, message: 'cannot reach d at 127.0.0.1:1: refused' } });
    expect(await t.baton('replace', 'c', 'd', '127.0.0.1:1')).toBe(1);
    expect(t.failure()[1]).toBe('refused');
  });

  it('refuses a newcomer that already has a vote: the cluster would have one less', async () => {
    expect(await t.baton('replace', 'b', 'c', addr('c'))).toBe(1);
    expect(t.failure()).toEqual(['error: c is already a voter and cannot also replace b', 'already-a-voter']);
    expect(t.cluster.calls).toEqual([]);
  });

  it('refuses an unknown id, and one without a vote', async () => {
    expect(await t.baton('replace', 'x', 'd', addr('d'))).toBe(1);
    expect(t.failure()[1]).toBe('not-a-member');
    t.cluster.get('c').suffrage = 1;
    expect(await t.baton('replace', 'c', 'd', addr('d'))).toBe(1);
    expect(t.failure()).toEqual(['error: c is no voter', 'not-a-voter']);
    expect(t.cluster.calls).toEqual([]);
  });
});
