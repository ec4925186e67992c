/** A JSON-RPC error with op-node's text. */
export class RpcFault extends Error {
  override readonly name = 'RpcFault';
}

/** Whoever asked has given up and closed the connection: nobody reads what would be answered. */
export class CallerGone extends Error {
  override readonly name = 'CallerGone';
}

/** The one who asks, as the server sees him. */
export class Caller {
  private leave = (): void => undefined;
  private gone = false;
  readonly whenGone = new Promise<void>((resolve) => (this.leave = resolve));

  get isGone(): boolean {
    return this.gone;
  }

  hangUp(): void {
    this.gone = true;
    this.leave();
  }
}
