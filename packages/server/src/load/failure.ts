import { CLOSE_CODES, mayReconnect } from '@pregon/protocol';

/** Why a connection failed to open, or was closed. */
export interface Failure {
  /** A short text that is the same for the same cause: failures are counted by it. */
  readonly reason: string;
  /** Whether another attempt may succeed. */
  readonly retry: boolean;
  /** After how many milliseconds the gateway wants the next attempt. */
  readonly afterMs?: number | undefined;
  /** What the user can do about it. */
  readonly advice?: string | undefined;
}

/** The handshake succeeded, but the gateway's first control frames did not arrive. */
export const NOT_SUBSCRIBED: Failure = {
  reason: 'not subscribed in time',
  retry: true,
  advice: 'the gateway is overloaded, or the server is not a gateway',
};

const NO_FILES = 'this process may not open more sockets: raise the limit with "ulimit -n 65536" before the command';

const BY_CODE: Readonly<
  Record<string, { readonly reason: string; readonly retry: boolean; readonly advice?: string }>
> = {
  ECONNREFUSED: {
    reason: 'connection refused',
    retry: true,
    advice: 'nothing listens on this address: is the gateway running on this host and port?',
  },
  ENOTFOUND: { reason: 'unknown host', retry: false, advice: 'check the host name' },
  EAI_AGAIN: { reason: 'host name not resolved', retry: true, advice: 'check the host name and the network' },
  ETIMEDOUT: { reason: 'connecting timed out', retry: true, advice: 'does a firewall drop the packets?' },
  EHOSTUNREACH: { reason: 'host unreachable', retry: true, advice: 'check the address and the network' },
  EMFILE: { reason: 'too many open files (EMFILE)', retry: false, advice: NO_FILES },
  ENFILE: {
    reason: 'too many open files (ENFILE)',
    retry: false,
    advice: 'the system-wide limit of open files is reached: raise fs.file-max',
  },
  EADDRNOTAVAIL: {
    reason: 'no local port left (EADDRNOTAVAIL)',
    retry: false,
    advice:
      'an address has about 28,000 ports for one destination: widen net.ipv4.ip_local_port_range, or use more machines',
  },
  EPROTO: { reason: 'TLS failed', retry: false, advice: 'does the server expect ws:// instead of wss://?' },
  ERR_SSL_WRONG_VERSION_NUMBER: {
    reason: 'TLS failed',
    retry: false,
    advice: 'does the server expect ws:// instead of wss://?',
  },
  ECONNRESET: {
    reason: 'connection reset',
    retry: true,
    advice: 'the server closed the connection: is it a gateway? Use wss:// if it has a certificate, else ws://',
  },
};

const UNTRUSTED = 'to trust your own certificate authority, set NODE_EXTRA_CA_CERTS to its file';

const BY_STATUS: Readonly<Record<number, string>> = {
  401: 'a token is required that the gateway, or a proxy in front of it, accepts: name its file with --token-file=FILE, or set PREGON_TOKEN',
  403: 'the gateway does not allow this origin: give an allowed one with --origin=https://shop.example',
  404: 'the gateway has no such route: compare the path with the routes that it prints at its start',
  426: 'the server does not support WebSocket, or a proxy does not forward the header Upgrade',
  429: 'the rate of connections is limited: lower --connect-rate',
  502: 'a proxy answers, but the gateway behind it does not',
  503: 'the gateway accepts no connections now: it is stopping, or cannot read its log',
};

/** The failure for an error before the connection was open. */
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
    return {
      reason: 'the server does not speak HTTP',
      retry: false,
      advice: 'check the port: it is not the port of a gateway',
    };
  }
  if (/subprotocol/.test(error.message)) {
    const advice = 'is it a Pregon gateway, of a version that supports the subprotocol?';
    return { reason: 'subprotocol not supported', retry: false, advice };
  }
  if (/handshake has timed out/.test(error.message)) {
    return {
      reason: 'handshake timed out',
      retry: true,
      advice: 'the gateway is overloaded, or the server is not a gateway',
    };
  }
  return { reason: code ?? error.message, retry: code !== undefined };
}

/** The failure for an answer to an upgrade request other than 101. */
export function failureOfStatus(status: number, text: string, retryAfter: string | undefined): Failure {
  const seconds = Number(retryAfter);
  return {
    reason: `${status} ${text}`.trim(),
    retry: status === 429 || status >= 500,
    afterMs: Number.isFinite(seconds) && seconds > 0 ? seconds * 1_000 : undefined,
    advice: BY_STATUS[status],
  };
}

/** The failure for the close of an open connection. */
export function failureOfClose(code: number, reason: string): Failure {
  const name = reason || (code === 1006 ? 'without a close frame' : '');
  return {
    reason: `closed with ${code}${name ? `: ${name}` : ''}`,
    // After a reset, the position is discarded and the connection starts again without it.
    retry: mayReconnect(code) || code === CLOSE_CODES.RESET.code,
  };
}
