/** A JSON-RPC error with op-node's text. */
export class RpcFault extends Error {
  override readonly name = 'RpcFault';
}

/** The caller has given up and closed the connection, so nobody would read the answer. */
export class CallerGone extends Error {
  override readonly name = 'CallerGone';
}

/** The caller, as the server sees it. */
export class Caller {
  private gone = false;
  private readonly leavings: (() => void)[] = [];

  get isGone(): boolean {
    return this.gone;
  }

  whenGone(): Promise<void> {
    return new Promise((resolve) => {
      if (this.gone) resolve();
      else this.leavings.push(resolve);
    });
  }

  hangUp(): void {
    this.gone = true;
    for (const leave of this.leavings.splice(0)) leave();
  }
}
