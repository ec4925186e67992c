/** A peer in a process of its own, which can be stopped and continued: `peer-process.ts <id>`. */
import { TransportNode } from './transport-node.js';

const node = await new TransportNode(process.argv[2] ?? 'peer').start();
process.send?.(node.member);
process.on('disconnect', () => process.exit(0));
