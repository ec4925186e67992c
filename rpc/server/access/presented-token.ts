/**
 * The token in an `authorization` header. Besides `Bearer TOKEN` it may be the password of `Basic`: a Go program whose
 * flags take nothing but a URL, such as op-batcher, sends that for `http://name:TOKEN@host`.
 *
 * @returns undefined without one, or with a header of another kind
 */
export function presentedToken(authorization: string | undefined): string | undefined {
  const [, scheme = '', value = ''] = /^(\w+) +(\S+)\s*$/.exec(authorization ?? '') ?? [];
  if (/^bearer$/i.test(scheme)) return value;
  if (!/^basic$/i.test(scheme)) return undefined;
  const credentials = Buffer.from(value, 'base64').toString();
  const colon = credentials.indexOf(':');
  return colon < 0 ? undefined : credentials.slice(colon + 1);
}
