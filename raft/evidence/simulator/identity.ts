import type { NodeId } from '../../core/configuration.js';

/** Where a simulated node is reached. */
export const addressOf = (id: NodeId): string => `${id}:50050`;
/** Of the first, second … disk of a node. */
export const incarnationOf = (id: NodeId, generation: number): string => `disk ${generation} of ${id}`;
