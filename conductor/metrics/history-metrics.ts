import type { Families } from './families.js';

/** The fate of entries of the history. */
export class HistoryMetrics {
  private readonly webhook;

  constructor(families: Families) {
    this.webhook = families.counter(
      'baton_history_webhook_entries_total',
      'Number of entries of the history for the webhook, by outcome: sent or dropped',
      'outcome',
    );
    // Present from the start, so that the first drop counts as an increase.
    for (const outcome of ['sent', 'dropped'] as const) this.webhook.inc({ outcome }, 0);
  }

  posted(outcome: 'sent' | 'dropped'): void {
    this.webhook.inc({ outcome });
  }
}
