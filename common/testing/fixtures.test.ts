import { readdirSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { readFixtureText } from './fixtures.js';

describe('fixtures', () => {
  it('are all described in their README, and nothing else is', () => {
    const described = [...readFixtureText('README.md').matchAll(/^\| (`[^|]*`) \|/gm)];
    const names = described.flatMap(([, cell]) => [...cell!.matchAll(/`([^`]+)`/g)].map(([, name]) => name));
    const files = ['recordings', 'payloads'].flatMap((folder) =>
      readdirSync(new URL(`./fixtures/${folder}`, import.meta.url)),
    );
    expect(names.sort()).toEqual(files.sort());
  });

  it('that are missing are named', () => {
    expect(() => readFixtureText('recordings/nothing.jsonl')).toThrow(
      'the fixture recordings/nothing.jsonl is missing',
    );
  });
});
