/** A foreign server, as a setting names it: what to dial, what to send along, and what may be shown. */
export interface Endpoint {
  /** The URL without user name, password and fragment. */
  readonly url: string;
  /** Value of the `authorization` header; undefined when the URL has neither user name nor password. */
  readonly authorization: string | undefined;
  /** It is not TLS that is spoken there. */
  readonly isPlain: boolean;
  /** An IPv6 address is in brackets. */
  readonly host: string;
  /** Also where the URL leaves it to its scheme. */
  readonly port: number;
  /** Scheme, host and port. Logs and errors show nothing else, because paths and queries may hold keys. */
  readonly origin: string;
}

/** The text is not a usable URL. The message does not quote it, because it may contain a password. */
class EndpointError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'EndpointError';
  }
}

export const HTTP: readonly string[] = ['http:', 'https:'];
export const WEBSOCKET: readonly string[] = ['ws:', 'wss:'];

/**
 * Parses the URL of a server. Everything that dials a configured URL goes through here, so that user name and password
 * are always sent and never shown.
 *
 * @throws EndpointError
 */
export function parseEndpoint(text: string, protocols: readonly string[] = HTTP): Endpoint {
  const url = parse(text, protocols);
  const authorization = basicAuthorization(url);
  const { origin } = url.protocol.startsWith('ws') ? { origin: `${url.protocol}//${url.host}` } : url;
  const isPlain = !/^(https|wss):$/.test(url.protocol);
  const { hostname: host } = url;
  const port = Number(url.port || (isPlain ? 80 : 443));
  url.username = url.password = url.hash = '';
  return { url: url.href, authorization, isPlain, host, port, origin };
}

/** What is wrong with the URL of a server; undefined when it is usable. Does not quote it. */
export function endpointProblem(text: string, protocols: readonly string[] = HTTP): string | undefined {
  try {
    parseEndpoint(text, protocols);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

/** The same server at a path below the endpoint's path, which may or may not end with a slash. */
export function below(endpoint: Endpoint, path: string): Endpoint {
  const url = new URL(endpoint.url);
  url.pathname = url.pathname.replace(/\/+$/, '') + path;
  return { ...endpoint, url: url.href };
}

/** Scheme, host, port and path of an endpoint. */
export function withoutQuery({ url }: Endpoint): string {
  return url.replace(/\?.*$/s, '');
}

/** `host:port` of a URL of any kind; undefined if the text is not one. */
export function hostOf(text: string): string | undefined {
  return URL.canParse(text) ? new URL(text).host : undefined;
}

/**
 * Of a URL of any kind what may be shown, `***` in the place of the rest; undefined if the text is none.
 */
export function shownUrl(text: string): string | undefined {
  if (!URL.canParse(text)) return undefined;
  const { protocol, host, username, password, pathname, search, hash } = new URL(text);
  const rest = username + password + pathname.replace(/^\/$/, '') + search + hash;
  return `${protocol}//${host}${rest === '' ? '' : '/***'}`;
}

/** Hides what may be a user name and a password in typed text. */
export function hideCredentials(text: string): string {
  return text.replace(/\b([a-z][a-z0-9+.-]*:\/\/)(?:(?!:\/\/)\S)*@/gi, '$1***@');
}

function parse(text: string, protocols: readonly string[]): URL {
  const beginnings = protocols.map((protocol) => `${protocol}//`);
  if (!beginnings.some((beginning) => text.toLowerCase().startsWith(beginning))) {
    throw new EndpointError(
      `give a URL that begins with ${beginnings.join(' or ')}${example(text, beginnings)}`,
    );
  }
  // Node's own error quotes the text.
  if (!URL.canParse(text)) {
    throw new EndpointError('give a URL; in a user name or password, write / as %2F, ? as %3F and # as %23');
  }
  return new URL(text);
}

/** For a text that lacks only the scheme and cannot hold a secret. */
function example(text: string, [beginning]: readonly string[]): string {
  return /^[\w.-]+:\d{1,5}$/.test(text) ? `, as in ${beginning}${text}` : '';
}

/** As Go's HTTP client sends it, even a password without a user name. */
function basicAuthorization({ username, password }: URL): string | undefined {
  if (username === '' && password === '') return undefined;
  try {
    const credentials = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
    return `Basic ${Buffer.from(credentials).toString('base64')}`;
  } catch {
    throw new EndpointError(
      'in a user name or password, write % as %25, unless it begins an escape such as %40',
    );
  }
}
