export { FlashblocksMetrics } from './flashblocks-metrics.js';
export { FlashblocksProxy, type FlashblocksProxyOptions } from './flashblocks-proxy.js';
export type { CutReason, DropReason, FlashblocksObserver } from './observer.js';
