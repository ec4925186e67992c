import { once } from 'node:events';
import net from 'node:net';

/** A line to `target` on which every connection breaks after this many bytes towards the target. */
export class BreakingProxy {
  breaks = 0;
  private readonly sockets = new Set<net.Socket>();
  private readonly server: net.Server;

  private constructor(target: () => net.NetConnectOpts, bytesMax: number) {
    this.server = net.createServer((from) => {
      const to = net.connect(target());
      let left = bytesMax;
      const end = (): void => {
        from.destroy();
        to.destroy();
      };
      for (const socket of [from, to]) {
        this.sockets.add(socket);
        socket.on('error', end).on('close', () => {
          this.sockets.delete(socket);
          end();
        });
      }
      from.on('data', (bytes) => {
        left -= bytes.length;
        to.write(left < 0 ? bytes.subarray(0, left) : bytes);
        if (left >= 0) return;
        this.breaks += 1;
        end();
      });
      to.pipe(from);
    });
  }

  static async open(target: () => net.NetConnectOpts, bytesMax: number): Promise<BreakingProxy> {
    const proxy = new BreakingProxy(target, bytesMax);
    proxy.server.listen(0, '127.0.0.1');
    await once(proxy.server, 'listening');
    return proxy;
  }

  get address(): string {
    return `127.0.0.1:${(this.server.address() as net.AddressInfo).port}`;
  }

  async close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    this.server.close();
    await once(this.server, 'close');
  }
}
