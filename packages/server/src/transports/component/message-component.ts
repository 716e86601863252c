import type { ComponentConnection } from './component-connection.js';

/**
 * What answers the clients of a path. Each method is called once for each thing that happens; of one connection `onOpen` is first and
 * `onClose` last. A method may be asynchronous; the next call does not wait for it, but where a hundred calls of one connection are
 * under way, no more is read from that client.
 */
export interface MessageComponent {
  /** A client has connected. */
  onOpen(connection: ComponentConnection): unknown;
  /** A client has sent a whole message: text as a string, binary as bytes. */
  onMessage(connection: ComponentConnection, data: string | Buffer): unknown;
  /** The connection is gone: nothing can be sent over it any more. 1006 is the code where there was no goodbye. */
  onClose(connection: ComponentConnection, close: { code: number; reason: string }): unknown;
  /**
   * Something went wrong with this connection, or one of the methods threw or rejected. The connection stays open unless it broke. What
   * is thrown here closes it (4003).
   */
  onError(connection: ComponentConnection, error: Error): unknown;
}

const METHODS = ['onOpen', 'onMessage', 'onClose', 'onError'] as const;

/** @throws TypeError where a method is missing: an error that has nowhere to go would be found too late */
export function assertComponent(component: MessageComponent): void {
  const missing = METHODS.filter((method) => typeof component[method] !== 'function');
  if (missing.length > 0)
    throw new TypeError(`a component needs ${METHODS.join(', ')}; missing: ${missing.join(', ')}`);
}
