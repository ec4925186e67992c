import type { Rule } from './config-error.js';
import { parseLocalAddress } from './local-address.js';

/** Settings of the RPC port that work only together, or would leave a port open that looks closed. */
export const rpcAccessRules: readonly Rule[] = [
  ...(['rpc', 'metrics', 'websocket'] as const).map(bothOrNeither),
  {
    flags: ['rpc.tls.client-ca', 'rpc.tls.cert'],
    violated: (values) => values['rpc.tls.client-ca'] !== '' && values['rpc.tls.cert'] === '',
    text: 'invalid rpc config: client certificates without TLS',
    remedy: 'give rpc.tls.cert and rpc.tls.key, too',
  },
  {
    flags: ['rpc.tls.client-ca', 'rpc.token-file'],
    violated: (values) => values['rpc.tls.client-ca'] !== '' && values['rpc.token-file'] === '',
    text: 'invalid rpc config: client certificates, but no roles for them',
    remedy: 'name the certificates and their roles in rpc.token-file: NAME ROLE cert:CERTIFICATE-NAME',
  },
  {
    flags: ['rpc.anonymous-role', 'rpc.token-file'],
    violated: (values) => values['rpc.anonymous-role'] !== 'none' && values['rpc.token-file'] === '',
    text: 'invalid rpc config: a role for callers without a credential, but no file of credentials',
    remedy:
      'give rpc.token-file, or leave rpc.anonymous-role out: without the file everybody may do everything',
  },
  {
    flags: ['rpc.local-addr'],
    violated: (values) =>
      values['rpc.local-addr'] !== '' && parseLocalAddress(values['rpc.local-addr']) === null,
    text: 'invalid rpc config: invalid local address',
    remedy:
      'give host:port on loopback (127.0.0.1:8548), or unix:/path: whoever reaches this port needs no credential',
  },
];

function bothOrNeither(port: 'rpc' | 'metrics' | 'websocket'): Rule {
  const [cert, key] = [`${port}.tls.cert`, `${port}.tls.key`] as const;
  return {
    flags: [cert, key],
    violated: (values) => (values[cert] === '') !== (values[key] === ''),
    text: `invalid ${port} config: only one of certificate and key is given`,
    remedy: 'give both, or neither for no TLS',
  };
}
