import type { Socket } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { HandshakeTurns } from './handshake-turns.js';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const socket = (name: string): Socket => ({ name }) as unknown as Socket;
const nameOf = (each: Socket): string => (each as unknown as { name: string }).name;

/** Turns in which each handshake takes so long, and what began in them. */
function turnsOf(handshakeMs: number): { turns: HandshakeTurns; begun: string[] } {
  let nowMs = 0;
  const begun: string[] = [];
  const turns = new HandshakeTurns(
    (each) => {
      begun.push(nameOf(each));
      nowMs += handshakeMs;
    },
    () => nowMs,
  );
  return { turns, begun };
}

describe('handshakes', () => {
  it('begin in the turn in which they come while there are few', async () => {
    const { turns, begun } = turnsOf(1);
    for (const name of ['1', '2', '3']) turns.add(socket(name));
    await turn();
    expect(begun).toHaveLength(3);
  });

  it('take a part of each turn when there are many, and the newest goes first', async () => {
    const { turns, begun } = turnsOf(2);
    for (const name of ['1', '2', '3', '4']) turns.add(socket(name));
    await turn();
    expect(begun).toEqual(['4', '3', '2']);
    turns.add(socket('5'));
    await turn();
    expect(begun).toEqual(['4', '3', '2', '5', '1']);
  });

  it('do not begin on closed connections', async () => {
    const { turns, begun } = turnsOf(1);
    const gone = socket('gone');
    turns.add(gone);
    turns.drop(gone);
    await turn();
    expect(begun).toEqual([]);
  });
});
