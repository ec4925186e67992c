import { WaitingIsUseless } from '../cluster/wait-for.js';

/** A program ended that should be running. */
export class ProgramDied extends WaitingIsUseless {
  constructor(name: string, how: string, logTail: string) {
    super(`${name} ended by itself (${how}); its last words:\n${logTail}`);
    this.name = 'ProgramDied';
  }
}
