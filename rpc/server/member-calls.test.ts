import { describe, expect, it } from '@jest/globals';
import { pino } from 'pino';
import { conductorMethods } from './conductor-methods.js';
import type { CallReport, ChangeReport } from './json-rpc/call-report.js';
import { Dispatcher } from './json-rpc/dispatcher.js';
import { answerMember } from './member-calls.js';
import { FakeConductor } from './testing/fake-conductor.js';

const ALICE = { address: '10.0.0.9:4711', token: 'alice' };

/** The answer of a leading or other conductor to member a, and its report. */
function memberCalls(isLeader = true): {
  ask: (request: unknown) => Promise<object>;
  conductor: FakeConductor;
  calls: CallReport[];
  changes: ChangeReport[];
} {
  const conductor = new FakeConductor(isLeader);
  const [calls, changes]: [CallReport[], ChangeReport[]] = [[], []];
  const dispatcher = new Dispatcher({
    methods: conductorMethods(conductor),
    logger: pino({ level: 'silent' }),
    onCall: (report) => void calls.push(report),
    onChange: (report) => void changes.push(report),
  });
  return { ask: (request) => answerMember(dispatcher, request, 'a'), conductor, calls, changes };
}

describe('a call that another member gives to this one', () => {
  it.each([
    ['addServerAsVoter', ['d', 'd:1', 7]],
    ['addServerAsNonvoter', ['d', 'd:1', 7]],
    ['demoteVoter', ['b', 7, true]],
    ['removeServer', ['b', 7, true]],
    ['replaceServer', ['b', 'd', 'd:1', 7]],
    ['record', [{ id: 'r1' }]],
  ])('is carried out: %s', async (name, params) => {
    const { ask, conductor } = memberCalls();
    expect(await ask({ method: `conductor_${name}`, params })).toMatchObject({ result: null });
    expect(conductor.operations).toEqual([[name, ...params]]);
  });

  it('is reported as a change by the caller of that member', async () => {
    const { ask, conductor, calls, changes } = memberCalls();
    const params = ['b', 7];
    await ask({ method: 'conductor_removeServer', params, by: ALICE });
    expect(changes).toMatchObject([{ method: 'conductor_removeServer', params: ['b', 7, false], by: ALICE }]);
    expect(calls).toMatchObject([{ method: 'conductor_removeServer' }]);
    expect(conductor.changedBy).toEqual(ALICE);
  });

  it('is reported as a change of that member when it has no other caller', async () => {
    const { ask, changes } = memberCalls();
    await ask({ method: 'conductor_removeServer', params: ['b', 7] });
    expect(changes).toMatchObject([{ by: { address: 'a' } }]);
  });

  it('gets the same answer as a client of the port', async () => {
    const { ask } = memberCalls(false);
    expect(await ask({ method: 'conductor_removeServer', params: ['b', 7] })).toMatchObject({
      error: { code: -32000, message: 'node is not the leader' },
    });
    expect(await ask({ method: 'conductor_removeServer', params: ['b', 'x'] })).toMatchObject({
      error: { code: -32602, message: expect.stringContaining('invalid argument 1: ') },
    });
  });

  it.each([
    'conductor_stop',
    'conductor_halt',
    'conductor_overrideLeader',
    'conductor_resetHead',
    'conductor_transferLeader',
    'conductor_status',
  ])('is not %s', async (method) => {
    const { ask, conductor, changes } = memberCalls();
    expect(await ask({ method, params: [] })).toMatchObject({
      error: { code: -32601, message: `the method ${method} does not exist/is not available` },
    });
    expect([...conductor.operations, ...changes]).toEqual([]);
  });

  it.each([
    null,
    { method: 'conductor_removeServer' },
    { method: 'conductor_removeServer', params: { id: 'b' } },
    { method: 'conductor_removeServer', params: ['b', 7], by: { address: 'x'.repeat(200) } },
    { method: 'conductor_removeServer', params: ['b', 7], by: { address: '' } },
  ])('is not %j', async (request) => {
    const { ask, conductor } = memberCalls();
    expect(await ask(request)).toMatchObject({ error: { code: -32600 } });
    expect(conductor.operations).toEqual([]);
  });
});
