import { timingParam } from './cluster-timing.js';
import type { ClusterMembership, ConductorApi, ServerInfo } from './conductor-api.js';
import { RawJson } from '../clients/raw-json.js';
import { ArgumentError, type Method, type MethodTable, type Param } from './json-rpc/method-table.js';
import { change, method, methodForCaller } from './json-rpc/method-table.js';
import { boolParam, hashParam, stringParam, uint64Param } from './json-rpc/params.js';
import { payloadParam } from './json-rpc/payload-param.js';
import { pauseParam, resumeParam } from './pause-request.js';
import { envelopeJson } from '../payload/envelope-json.js';

/** The `conductor_*` methods with op-conductor's names and positional parameters, and a few of our own. */
export function conductorMethods(api: ConductorApi): MethodTable {
  const methods: Record<string, Method> = {
    leader: method([], () => api.leader()),
    leaderWithID: method([], () => wireServer(api.leaderWithId())),
    clusterMembership: method([], () => wireMembership(api.clusterMembership())),
    active: method([], () => api.active()),
    paused: method([], () => api.paused()),
    stopped: method([], () => api.stopped()),
    sequencerHealthy: method([], () => api.sequencerHealthy()),
    leaderOverridden: method([], () => api.leaderOverridden()),
    overrideLeader: change([boolParam], (_by, override) => api.overrideLeader(override)),
    pause: change([], () => api.pause()),
    resume: change([], () => api.resume()),
    stop: change([], (by) => api.stop(by)),
    commitUnsafePayload: methodForCaller([payloadParam], ({ gone }, payload) =>
      api.commitUnsafePayload(payload, { gone }),
    ),
    transferLeader: change([], (by) => api.transferLeader(by)),
    transferLeaderToServer: change([stringParam, stringParam], (by, id, addr) =>
      api.transferLeaderToServer(id, addr, by),
    ),
    addServerAsVoter: change([stringParam, stringParam, uint64Param], (by, id, addr, version) =>
      api.addServerAsVoter(id, addr, version, by),
    ),
    addServerAsNonvoter: change([stringParam, stringParam, uint64Param], (by, id, addr, version) =>
      api.addServerAsNonvoter(id, addr, version, by),
    ),
    demoteVoter: change([stringParam, uint64Param, forceParam], (by, id, version, force) =>
      api.demoteVoter(id, version, force, by),
    ),
    removeServer: change([stringParam, uint64Param, forceParam], (by, id, version, force) =>
      api.removeServer(id, version, force, by),
    ),
    // Not in op-conductor.
    replaceServer: change(
      [stringParam, stringParam, stringParam, uint64Param],
      (by, oldId, id, addr, version) => api.replaceServer(oldId, id, addr, version, by),
    ),
    resetHead: change([uint64Param, hashParam, reasonParam, seenParam], (_by, number, hash, reason, seen) =>
      api.resetHead({ number, hash }, reason, seen),
    ),
    halt: change([ownerParam, reasonParam], (_by, owner, reason) => api.halt(owner, reason)),
    endHalt: change([ownerParam, reasonParam], (_by, owner, reason) => api.endHalt(owner, reason)),
    beginPause: change([pauseParam], (_by, request) => api.beginPause(request)),
    endPause: change([resumeParam], (_by, request) => api.endPause(request)),
    record: method([jsonParam], (record) => api.record(record)),
    setTiming: change([timingParam, uint64Param], (_by, timing, version) => api.setTiming(timing, version)),
    status: method([], () => api.status()),
    clusterStatus: method([], () => api.clusterStatus()),
    history: method([sinceParam], (sinceMs) => api.history(sinceMs)),
    latestUnsafePayload: method([], async () => {
      const ssz = await api.latestUnsafePayload();
      return ssz && new RawJson(envelopeJson(ssz));
    }),
  };
  return new Map(Object.entries(methods).map(([name, entry]) => [`conductor_${name}`, entry]));
}

/** Members in op-conductor's order, without other fields that the conductor may keep in these objects. */
function wireServer({ id, addr, suffrage }: ServerInfo): ServerInfo {
  return { id, addr, suffrage };
}

function wireMembership({ servers, version }: ClusterMembership): ClusterMembership {
  return { servers: servers && servers.map(wireServer), version };
}

/** Ours, at the end: op-conductor's clients do not send it. */
const forceParam: Param<boolean> = {
  optional: true,
  decode: (value) => (value === undefined || value === null ? false : boolParam.decode(value)),
};

/** Checked by the conductor itself. */
const jsonParam: Param<unknown> = { decode: (value) => value };

const reasonParam: Param<string> = {
  decode: (value) => {
    const reason = stringParam.decode(value).trim();
    if (reason === '') throw new ArgumentError('give a reason: it is recorded');
    return reason;
  },
};

/** Longest name in a record of the log. */
const OWNER_CHARS_MAX = 128;

const ownerParam: Param<string> = {
  decode: (value) => {
    const owner = stringParam.decode(value).trim();
    if (owner === '') throw new ArgumentError('say who decides this: it is recorded');
    return owner.slice(0, OWNER_CHARS_MAX);
  },
};

const seenParam: Param<string | undefined> = {
  optional: true,
  decode: (value) => (value === undefined || value === null ? undefined : hashParam.decode(value)),
};

/** Milliseconds since 1970; absent: everything. */
const sinceParam: Param<number> = {
  optional: true,
  decode: (value) => (value === undefined || value === null ? 0 : uint64Param.decode(value)),
};
