import { createServer, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { messageOf, PregonError } from '@pregon/protocol';
import { MAX_TIMER_MS } from '../../core/time/clock.js';
import type { ListenOptions } from '../gateway.js';

/** How often the server looks for handshakes that have passed their deadline. */
const LATE_CHECK_MS = 1_000;

/**
 * How many connections the kernel queues until they are accepted, which happens at one per event loop turn. The kernel
 * does not answer further connections, and their clients retry after one second, then after two more. Linux allows
 * 4,096 with the default of net.core.somaxconn.
 */
const BACKLOG = 4_096;

export interface OwnServerLimits {
  /** The most milliseconds for the head of a request, which is the whole handshake. */
  readonly handshakeTimeoutMs: number;
  readonly stallTimeoutMs: number;
  readonly keepAliveTimeoutMs: number;
}

/**
 * Creates the server for the gateway's own port, with TLS if a certificate and a key are given.
 *
 * @throws TypeError if only one of certificate and key is given
 * @throws PregonError CONFIG_INVALID if the certificate or key is not valid
 */
export function createOwnServer(
  { cert, key }: ListenOptions,
  { handshakeTimeoutMs, stallTimeoutMs, keepAliveTimeoutMs }: OwnServerLimits,
): Server {
  const timeouts = {
    headersTimeout: handshakeTimeoutMs,
    // Includes the body: an upload of a long-polling session may take as long as a slow client may stall.
    requestTimeout: Math.min(Math.max(handshakeTimeoutMs, stallTimeoutMs), MAX_TIMER_MS),
    // The timeout for the headers of the next request begins with its first byte.
    keepAliveTimeout: keepAliveTimeoutMs,
    connectionsCheckingInterval: LATE_CHECK_MS,
  };
  if (cert === undefined && key === undefined) return createServer(timeouts);
  if (cert === undefined || key === undefined) throw new TypeError('TLS needs both cert and key');
  const pem = { cert: Buffer.from(cert), key: Buffer.from(key) };
  try {
    return createTlsServer({ ...timeouts, ...pem, handshakeTimeout: handshakeTimeoutMs });
  } catch (cause) {
    // The message of OpenSSL, such as "no start line", does not say what it is about.
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
