import { EventEmitter } from 'node:events';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { Signals } from './signals.js';

let source: EventEmitter;
let signals: Signals;
let heard: string[];

const handle = (): void =>
  signals.handle({
    end: (signal) => void heard.push(`end ${signal}`),
    endNow: (signal) => void heard.push(`now ${signal}`),
  });

beforeEach(() => {
  source = new EventEmitter();
  signals = new Signals(source as NodeJS.Process);
  heard = [];
});

describe('signals', () => {
  it.each(['SIGTERM', 'SIGINT', 'SIGQUIT'])('%s ends in order', (signal) => {
    handle();
    source.emit(signal);
    expect(heard).toEqual([`end ${signal}`]);
  });

  it('are kept until the process can act on them', () => {
    source.emit('SIGTERM');
    source.emit('SIGINT');
    expect(heard).toEqual([]);
    handle();
    expect(heard).toEqual(['end SIGTERM', 'now SIGINT']);
  });

  it.each([
    [
      ['SIGINT', 'SIGINT'],
      ['end SIGINT', 'now SIGINT'],
    ],
    [
      ['SIGTERM', 'SIGQUIT'],
      ['end SIGTERM', 'now SIGQUIT'],
    ],
    [['SIGTERM', 'SIGTERM', 'SIGTERM'], ['end SIGTERM']],
    [['SIGINT', 'SIGTERM'], ['end SIGINT']],
  ])('%j', (sent, expected) => {
    handle();
    for (const signal of sent) source.emit(signal);
    expect(heard).toEqual(expected);
  });
});
