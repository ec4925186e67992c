import { broken, type Invariant } from './invariant.js';

/** At most one process ever leads in a term: two could commit and publish contradicting blocks. */
export class OneLeader implements Invariant {
  readonly name = 'one-leader';
  private readonly byTerm = new Map<number, string>();

  led(who: string, term: number): void {
    const other = this.byTerm.get(term) ?? who;
    this.byTerm.set(term, other);
    if (other !== who) broken(this, `${who} leads in term ${term}, in which ${other} leads or has led`);
  }
}
