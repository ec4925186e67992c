import type { LookupFunction, Socket } from 'node:net';
import { Agent, buildConnector, type Dispatcher } from 'undici';
import { names } from './name-lookup.js';

/**
 * Longest time to connect, including the look-up of the name. It is seconds, and independent of the call that needs the
 * connection first: if it ended with calls that are given up early, the connection would never be made.
 */
const CONNECT_TIMEOUT_MS = 5_000;

/**
 * How a client speaks TLS, in PEM. The certificate of a server is always checked: who issued it, and that it is for the
 * host that is dialled.
 */
export interface ClientTls {
  /** Who may have issued it; absent: the authorities that Node.js trusts. */
  readonly ca?: Buffer | undefined;
  /** Shown to a server that asks for a certificate. */
  readonly cert?: Buffer | undefined;
  readonly key?: Buffer | undefined;
}

interface DialerOptions {
  /** Largest body of an answer. */
  answerBytesMax: number;
  lookup?: LookupFunction | undefined;
  /** Of https servers. */
  tls?: ClientTls | undefined;
}

/**
 * Connections to a server, kept alive. Callers set the deadlines of answers (undici's own would only add a second, longer
 * one). The deadline of connecting is here.
 */
export class Dialer {
  readonly agent: Agent;
  private connecting = 0;
  private lookingUp = 0;

  constructor({ answerBytesMax, lookup = names.lookup, tls }: DialerOptions) {
    const counting: LookupFunction = (hostname, options, callback) => {
      this.lookingUp += 1;
      lookup(hostname, options, (...found) => {
        this.lookingUp -= 1;
        callback(...found);
      });
    };
    // undici passes all options to the socket, although its types do not say so.
    const options = { ...tls, timeout: CONNECT_TIMEOUT_MS, lookup: counting } as buildConnector.BuildOptions;
    const dial = buildConnector(options);
    this.agent = new Agent({
      headersTimeout: 0,
      bodyTimeout: 0,
      maxResponseSize: answerBytesMax,
      connect: (target, callback) => {
        this.connecting += 1;
        dial(target, (...result: [null, Socket] | [Error, null]) => {
          this.connecting -= 1;
          callback(...result);
        });
      },
    });
  }

  /** A dispatcher for one request, and whether that request has been sent. */
  forOneRequest(): { dispatcher: Dispatcher; isSent: () => boolean } {
    let sent = false;
    const dispatcher = this.agent.compose(
      (dispatch) => (options, handler) =>
        dispatch(
          options,
          noting(handler, () => (sent = true)),
        ),
    );
    return { dispatcher, isSent: () => sent };
  }

  /** What an unsent request waits for. */
  get phase(): string {
    if (this.lookingUp > 0) return 'still looking up the name';
    return this.connecting > 0 ? 'still connecting' : 'waiting for its turn';
  }

  async close(): Promise<void> {
    await this.agent.destroy();
  }
}

/** Passes everything on, and notes when the request is sent. */
function noting(handler: Dispatcher.DispatchHandler, onSent: () => void): Dispatcher.DispatchHandler {
  return {
    onRequestStart: (...args) => {
      onSent();
      handler.onRequestStart?.(...args);
    },
    onRequestUpgrade: (...args) => handler.onRequestUpgrade?.(...args),
    onResponseStart: (...args) => handler.onResponseStart?.(...args),
    onResponseData: (...args) => handler.onResponseData?.(...args),
    onResponseEnd: (...args) => handler.onResponseEnd?.(...args),
    onResponseError: (...args) => handler.onResponseError?.(...args),
  };
}
