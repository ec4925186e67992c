import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

interface Block {
  number: number;
  hash: string;
  parentHash: string;
  timestamp: number;
}

const NO_HASH = `0x${'0'.repeat(64)}`;

/**
 * An op-node and an execution client on one port, which give a test's answers. They obey their conductor and build no
 * blocks: the test is the sequencer.
 */
export class ScriptedNode {
  active = false;
  /** Accepts requests and answers none. */
  isSilent = false;
  /** The head of both programs. */
  head: Block = { number: 0, hash: NO_HASH, parentHash: NO_HASH, timestamp: 0 };
  /** Requests without this `authorization` header are refused; undefined lets everybody in. */
  authorization: string | undefined;
  /** Member `result` or `error` of the answer, as JSON text, by `key` of the call; before everything else. */
  readonly script = new Map<string, string>();

  private constructor(private readonly server: Server) {}

  static async start(): Promise<ScriptedNode> {
    const server = createServer();
    const node = new ScriptedNode(server);
    server.on('request', (request, response) => {
      if (node.authorization !== undefined && request.headers.authorization !== node.authorization) {
        response.writeHead(401).end('who are you?');
        return;
      }
      if (request.url?.endsWith('/healthz')) return void response.end();
      if (node.isSilent) return;
      let body = '';
      request.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
      request.on('end', () => {
        const { id, method, params } = JSON.parse(body) as { id: number; method: string; params: unknown[] };
        response.setHeader('content-type', 'application/json');
        response.end(`{"jsonrpc":"2.0","id":${id},${node.answer(method, params)}}\n`);
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return node;
  }

  static key(method: string, params: unknown[]): string {
    return `${method} ${JSON.stringify(params)}`;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  stop(): void {
    this.server.close();
    this.server.closeAllConnections();
  }

  private answer(method: string, params: unknown[]): string {
    const scripted = this.script.get(ScriptedNode.key(method, params));
    if (scripted !== undefined) return scripted;
    const result = this.result(method, params);
    if (result !== undefined) return `"result":${JSON.stringify(result)}`;
    return `"error":{"code":-32601,"message":"the method ${method} does not exist/is not available"}`;
  }

  private result(method: string, params: unknown[]): unknown {
    switch (method) {
      case 'admin_conductorEnabled':
        return true;
      case 'admin_sequencerActive':
        return this.active;
      case 'admin_startSequencer':
        this.active = true;
        return null;
      case 'admin_stopSequencer':
        this.active = false;
        return this.head.hash;
      case 'admin_postUnsafePayload':
        return null;
      case 'opp2p_peerStats':
        return { connected: 2 };
      case 'optimism_syncStatus':
        return { unsafe_l2: this.head, safe_l2: this.head, finalized_l2: this.head };
      case 'optimism_rollupConfig':
        return { l2_chain_id: 901 };
      case 'optimism_version':
        return 'v1.0.0-scripted';
      case 'optimism_safeHeadAtL1Block':
        return { l1Block: { hash: NO_HASH, number: 1 }, safeHead: { hash: NO_HASH, number: 2 } };
      case 'eth_chainId':
        return '0x385';
      case 'miner_setMaxDASize':
        return true;
      case 'eth_getBlockByNumber':
        return params[0] === 'latest' || params[0] === quantity(this.head.number) ? this.blockJson() : null;
      default:
        return undefined;
    }
  }

  private blockJson(): object {
    const { number, timestamp, ...hashes } = this.head;
    return { ...hashes, number: quantity(number), timestamp: quantity(timestamp) };
  }
}

function quantity(value: number): string {
  return `0x${value.toString(16)}`;
}
