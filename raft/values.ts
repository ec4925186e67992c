/** What of the public surface loads neither disk nor network: a command line that needs an address starts sooner. */
export { clusterTimingOf, isSameTiming, type ClusterTiming, type Timing } from './core/timing.js';
export { judgeTiming, type MeasuredTimes } from './runtime/judge-timing.js';
export { profileOf, TIMING_PROFILES, type TimingProfile } from './runtime/timing-profiles.js';
export { formatHostPort, parseHostPort, type HostPort } from './transport/host-port.js';
