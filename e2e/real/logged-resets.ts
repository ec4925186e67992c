import { z } from 'zod';
import type { Hex } from 'viem';
import type { ChainReset } from './chain-check.js';

const MESSAGE = 'the committed head was reset';

const block = z.object({ number: z.number(), hash: z.string().transform((text) => text as Hex) });
const line = z.object({ msg: z.literal(MESSAGE), from: block, to: block, evidence: z.string() });

/** A reset entry as a conductor applied it. */
export interface LoggedReset extends ChainReset {
  evidence: string;
}

/** The reset entries in a conductor's JSON log. Lines of other formats and programs are ignored. */
export function loggedResets(log: string): LoggedReset[] {
  const whole = log.slice(0, log.lastIndexOf('\n') + 1);
  return whole
    .split('\n')
    .filter((text) => text.includes(MESSAGE))
    .flatMap((text) => {
      const { success, data } = line.safeParse(JSON.parse(text));
      return success ? [data] : [];
    });
}
