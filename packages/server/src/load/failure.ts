import { CLOSE_CODES, mayReconnect } from '@pregon/protocol';

/** Why a connection did not open, or has closed. */
export interface Failure {
  /** Short, and the same for the same cause: failures are counted by it. */
  readonly reason: string;
  /** Whether another attempt may go better. */
  readonly retry: boolean;
  /** When the gateway wants the next attempt, from now on. */
  readonly afterMs?: number | undefined;
  /** What whoever runs this can do about it. */
  readonly advice?: string | undefined;
}

/** The handshake went well, and nothing that a gateway says came after it. */
export const NOT_SUBSCRIBED: Failure = {
  reason: 'not subscribed in time',
  retry: true,
  advice: 'the gateway is overloaded, or is no gateway',
};

const NO_FILES = 'this process may not open more sockets: raise the limit with "ulimit -n 65536" before the command';

const BY_CODE: Readonly<
  Record<string, { readonly reason: string; readonly retry: boolean; readonly advice?: string }>
> = {
  ECONNREFUSED: {
    reason: 'connection refused',
    retry: true,
    advice: 'nothing listens there: is the gateway running, on this host and port?',
  },
  ENOTFOUND: { reason: 'unknown host', retry: false, advice: 'check the name of the host' },
  EAI_AGAIN: { reason: 'host name not resolved', retry: true, advice: 'check the name of the host, and the network' },
  ETIMEDOUT: { reason: 'connecting timed out', retry: true, advice: 'does a firewall drop what is sent there?' },
  EHOSTUNREACH: { reason: 'host unreachable', retry: true, advice: 'check the address, and the network' },
  EMFILE: { reason: 'too many open files (EMFILE)', retry: false, advice: NO_FILES },
  ENFILE: {
    reason: 'too many open files (ENFILE)',
    retry: false,
    advice: 'the whole system is out of files: see fs.file-max',
  },
  EADDRNOTAVAIL: {
    reason: 'no local port left (EADDRNOTAVAIL)',
    retry: false,
    advice:
      'one address has some 28,000 ports for one destination: widen net.ipv4.ip_local_port_range, or use more machines',
  },
  EPROTO: { reason: 'TLS failed', retry: false, advice: 'is it ws:// instead of wss://?' },
  ERR_SSL_WRONG_VERSION_NUMBER: { reason: 'TLS failed', retry: false, advice: 'is it ws:// instead of wss://?' },
  ECONNRESET: {
    reason: 'connection reset',
    retry: true,
    advice: 'what listens there hung up: is it a gateway, and wss:// if it has a certificate, else ws://?',
  },
};

const UNTRUSTED = 'to trust a certificate authority of your own, set NODE_EXTRA_CA_CERTS to its file';

const BY_STATUS: Readonly<Record<number, string>> = {
  401: 'what stands before the gateway wants to know who it is: --header="Authorization: Bearer …"',
  403: 'the gateway does not let this origin in: name one that it allows with --origin=https://shop.example',
  404: 'the gateway has no such route: compare the path with the routes that it prints at its start',
  426: 'what answers there speaks no WebSocket, or a proxy does not pass Upgrade on',
  429: 'something limits the rate: lower --connect-rate',
  502: 'a proxy answers, and the gateway behind it does not',
  503: 'the gateway takes no connections now: it is stopping, or cannot read its log',
};

/** What went wrong before the connection was open. */
export function failureOf(error: Error): Failure {
  const code = 'code' in error && typeof error.code === 'string' ? error.code : undefined;
  if (code !== undefined && Object.hasOwn(BY_CODE, code)) {
    const known = BY_CODE[code];
    if (known) return known;
  }
  if (code !== undefined && /CERT|SELF_SIGNED|UNABLE_TO/.test(code)) {
    return { reason: `certificate not trusted (${code})`, retry: false, advice: UNTRUSTED };
  }
  if (code?.startsWith('HPE_')) {
    return { reason: 'no HTTP is spoken there', retry: false, advice: 'check the port: it is not that of a gateway' };
  }
  if (/subprotocol/.test(error.message)) {
    const advice = 'is it a Pregon gateway, of a version that speaks the subprotocol?';
    return { reason: 'subprotocol not spoken', retry: false, advice };
  }
  if (/handshake has timed out/.test(error.message)) {
    return { reason: 'handshake timed out', retry: true, advice: 'the gateway is overloaded, or is no gateway' };
  }
  return { reason: code ?? error.message, retry: code !== undefined };
}

/** The answer to an upgrade request that was not 101. */
export function failureOfStatus(status: number, text: string, retryAfter: string | undefined): Failure {
  const seconds = Number(retryAfter);
  return {
    reason: `${status} ${text}`.trim(),
    retry: status === 429 || status >= 500,
    afterMs: Number.isFinite(seconds) && seconds > 0 ? seconds * 1_000 : undefined,
    advice: BY_STATUS[status],
  };
}

/** The end of a connection that was open. */
export function failureOfClose(code: number, reason: string): Failure {
  const name = reason || (code === 1006 ? 'without a goodbye' : '');
  return {
    reason: `closed with ${code}${name ? `: ${name}` : ''}`,
    // A position that cannot be served is dropped, and the connection begins anew.
    retry: mayReconnect(code) || code === CLOSE_CODES.RESET.code,
  };
}
