/** Why a sequencer must not run: its blocks would be published without a commit. */
export const NOT_ASKING =
  'op-node publishes without asking its conductor: it was started without --conductor.enabled';

/** The same, because an operator ordered it in an emergency. */
export const OVERRIDDEN =
  'op-node publishes without asking its conductor: it was told admin_overrideLeader and has not been restarted since';
