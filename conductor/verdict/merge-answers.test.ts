import { expect, it } from '@jest/globals';
import type { ConductorStatus } from '../../rpc/server/conductor-status.js';
import { leading, memberStatus } from '../commands/testing/fake-cluster.js';
import { mergeAnswers, type Answer } from './merge-answers.js';

const lists = (version: number, ...ids: string[]): Pick<ConductorStatus, 'membership'> => ({
  membership: { version, servers: ids.map((id) => ({ id, addr: `${id}:1`, suffrage: 0 })) },
});

/** The answer of a conductor that lists these members with these accounts of themselves. */
const answer = (own: ConductorStatus, ...others: ConductorStatus[]): Answer => ({
  own,
  members: own.membership.servers.map((server) => {
    const status = [own, ...others].find(({ id }) => id === server.id) ?? null;
    return { ...server, status, error: status ? '' : 'no route' };
  }),
});

const ids = (...answers: Answer[]): string[] =>
  mergeAnswers(answers).members.map(({ id, role }) => (role === 'no member' ? `(${id})` : id));

const a = leading('a', lists(7, 'a', 'b', 'c'));
const b = memberStatus('b', lists(7, 'a', 'b', 'c'));

it('takes the newest configuration that anybody knows', () => {
  const view = mergeAnswers([answer(b, { ...a, ...lists(9, 'a', 'b') })]);
  expect(view.members.map(({ id }) => id)).toEqual(['a', 'b']);
  expect([view.version, view.clusterId]).toEqual([9, 'c1']);
});

it('says why a member is silent', () => {
  expect(mergeAnswers([answer(a, b)]).members[2]).toMatchObject({
    id: 'c',
    status: null,
    silence: 'no route',
  });
});

it('ignores a member that has founded another cluster, whatever its index there', () => {
  const c = leading('c', { clusterId: 'c9', ...lists(99, 'c') });
  expect(ids(answer(a, b, c))).toEqual(['a', 'b', 'c']);
  expect(ids(answer(a, b), answer(c))).toEqual(['a', 'b', 'c']);
});

it('lists conductors that were asked but are not members, and those without a cluster', () => {
  expect(ids(answer(a, b), answer(memberStatus('d', lists(3, 'a', 'd'))))).toEqual(['a', 'b', 'c', '(d)']);
  expect(ids(answer(memberStatus('d', { clusterId: null, ...lists(0) })))).toEqual(['(d)']);
});
