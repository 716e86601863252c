import { createServer, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { messageOf, PregonError } from '@pregon/protocol';
import type { ListenOptions } from '../gateway.js';

/** How often a server looks for clients that are late with their handshake. */
const LATE_CHECK_MS = 1_000;

/**
 * How many connections the kernel keeps until they are accepted, which is one in a turn of the event loop. To one too many it does not answer,
 * and its client asks again after a second, then after two more. Linux allows 4,096 where net.core.somaxconn is as it comes.
 */
const BACKLOG = 4_096;

/** The longest time that Node.js takes. */
const MAX_TIMER_MS = 2 ** 31 - 1;

export interface OwnServerLimits {
  /** How long a client may take over the head of a request, which is all of a handshake. */
  readonly handshakeTimeoutMs: number;
  readonly stallTimeoutMs: number;
  readonly keepAliveTimeoutMs: number;
}

/**
 * A server for a port of the gateway's own: TLS if it has certificate and key.
 *
 * @throws TypeError if one of certificate and key is missing
 * @throws PregonError CONFIG_INVALID if certificate or key cannot be used
 */
export function createOwnServer(
  { cert, key }: ListenOptions,
  { handshakeTimeoutMs, stallTimeoutMs, keepAliveTimeoutMs }: OwnServerLimits,
): Server {
  const timeouts = {
    headersTimeout: handshakeTimeoutMs,
    // Of a request with its body: what a session of long polling uploads may take as long as anything that a slow client takes.
    requestTimeout: Math.min(Math.max(handshakeTimeoutMs, stallTimeoutMs), MAX_TIMER_MS),
    // The time for the next request's headers begins with its first byte.
    keepAliveTimeout: keepAliveTimeoutMs,
    connectionsCheckingInterval: LATE_CHECK_MS,
  };
  if (cert === undefined && key === undefined) return createServer(timeouts);
  if (cert === undefined || key === undefined) throw new TypeError('TLS needs both cert and key');
  const pem = { cert: Buffer.from(cert), key: Buffer.from(key) };
  try {
    return createTlsServer({ ...timeouts, ...pem, handshakeTimeout: handshakeTimeoutMs });
  } catch (cause) {
    // What OpenSSL says ("no start line") does not say of what.
    const why = messageOf(cause);
    throw new PregonError('CONFIG_INVALID', `cert and key cannot be used: ${why}`, { cause });
  }
}

/** @throws PregonError LISTEN_FAILED */
export function bind(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const failed = (error: NodeJS.ErrnoException) => {
      const why = error.code === 'EADDRINUSE' ? 'the port is in use' : error.message;
      reject(new PregonError('LISTEN_FAILED', `cannot listen on ${host}:${port}: ${why}`, { cause: error }));
    };
    server.once('error', failed);
    server.listen(port, host, BACKLOG, () => {
      server.off('error', failed);
      resolve();
    });
  });
}
