import type { Role } from './roles.js';

/** The roles of a method: any of them is enough, by itself or through one that includes it. */
interface MethodAccess {
  readonly roles: readonly Role[];
  /** With `true` at this position, the call acts against the conductor's advice, which takes another role. */
  readonly forced?: { readonly argument: number; readonly roles: readonly Role[] };
}

const read: MethodAccess = { roles: ['read'] };
const readOrSequencer: MethodAccess = { roles: ['read', 'sequencer'] };
const sequencer: MethodAccess = { roles: ['sequencer'] };
const operate: MethodAccess = { roles: ['operate'] };
const emergency: MethodAccess = { roles: ['emergency'] };
const operateUnlessForced = (argument: number): MethodAccess => ({
  ...operate,
  forced: { argument, roles: emergency.roles },
});

/** The role of every method on the RPC port (docs/SECURITY.md has the same table). */
export const METHOD_ACCESS: Readonly<Record<string, MethodAccess>> = {
  conductor_leader: readOrSequencer,
  conductor_active: readOrSequencer,
  conductor_commitUnsafePayload: sequencer,

  conductor_leaderWithID: read,
  conductor_clusterMembership: read,
  conductor_paused: read,
  conductor_stopped: read,
  conductor_sequencerHealthy: read,
  conductor_leaderOverridden: read,
  conductor_status: read,
  conductor_clusterStatus: read,
  conductor_latestUnsafePayload: read,
  conductor_history: read,
  eth_getBlockByNumber: read,
  eth_chainId: read,
  optimism_syncStatus: read,
  optimism_outputAtBlock: read,
  optimism_rollupConfig: read,
  optimism_version: read,
  optimism_safeHeadAtL1Block: read,
  admin_sequencerActive: read,
  health_status: readOrSequencer,
  rpc_modules: readOrSequencer,

  conductor_pause: operate,
  conductor_resume: operate,
  conductor_transferLeader: operate,
  conductor_transferLeaderToServer: operate,
  conductor_addServerAsVoter: operate,
  conductor_addServerAsNonvoter: operate,
  conductor_demoteVoter: operateUnlessForced(2),
  conductor_removeServer: operateUnlessForced(2),
  conductor_replaceServer: operate,
  conductor_beginPause: operate,
  conductor_endPause: operate,
  conductor_record: operate,
  conductor_debug: operate,
  conductor_setTiming: operate,
  miner_setMaxDASize: operate,

  conductor_overrideLeader: emergency,
  conductor_stop: emergency,
  conductor_resetHead: emergency,
  conductor_halt: emergency,
  conductor_endHalt: emergency,
  conductor_startSequencer: emergency,
  conductor_stopSequencer: emergency,
};

/** The roles for a call. A method outside the table takes the highest role: a new one is closed until it is listed. */
export function rolesNeeded(method: string, args: readonly unknown[]): readonly Role[] {
  const access = Object.hasOwn(METHOD_ACCESS, method) ? METHOD_ACCESS[method] : undefined;
  if (!access) return emergency.roles;
  const { roles, forced } = access;
  return forced && args[forced.argument] === true ? forced.roles : roles;
}
