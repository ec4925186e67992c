import type { NodeId } from '../../core/configuration.js';

/** The address of a simulated node. */
export const addressOf = (id: NodeId): string => `${id}:50050`;
/** Identity of the first, second … disk of a node. */
export const incarnationOf = (id: NodeId, generation: number): string => `disk ${generation} of ${id}`;
