import type { ComponentConnection } from './component-connection.js';

/**
 * Handles the clients of a path. Each event calls one method, once. For each connection, `onOpen` is called first and
 * `onClose` last. A method may be asynchronous, and the next call does not wait for it. But while a hundred calls of
 * one connection are pending, nothing more is read from that client.
 */
export interface MessageComponent {
  /** A client has connected. */
  onOpen(connection: ComponentConnection): unknown;
  /** A client has sent a complete message: a string if it is text, bytes if it is binary. */
  onMessage(connection: ComponentConnection, data: string | Buffer): unknown;
  /** The connection has ended, and nothing more can be sent. The code is 1006 if there was no close frame. */
  onClose(connection: ComponentConnection, close: { code: number; reason: string }): unknown;
  /**
   * The connection had an error, or one of the methods threw or rejected. The connection stays open unless it is
   * broken. An error that is thrown here closes it (4003).
   */
  onError(connection: ComponentConnection, error: Error): unknown;
}

const METHODS = ['onOpen', 'onMessage', 'onClose', 'onError'] as const;

/**
 * @throws TypeError if a method is missing. Otherwise a missing `onError`, for example, would be noticed only with the
 *   first error.
 */
export function assertComponent(component: MessageComponent): void {
  const missing = METHODS.filter((method) => typeof component[method] !== 'function');
  if (missing.length > 0)
    throw new TypeError(`a component needs ${METHODS.join(', ')}; missing: ${missing.join(', ')}`);
}
