import type { OutgoingMessage } from '../ports/delivery.js';

/** Names that clients of Socket.IO use themselves, and those under which a gateway tells them of their subscriptions. */
export const RESERVED_NAMES: ReadonlySet<string> = new Set([
  'connect',
  'connect_error',
  'disconnect',
  'disconnecting',
  'newListener',
  'removeListener',
  'error',
  'event',
  'subscribed',
  'snapshot',
  'reset',
  'checkpoint',
  'refused',
  'draining',
  'closing',
]);

/** An ephemeral message to one or many connections: encoded once for each way of writing it. */
export class Message implements OutgoingMessage {
  readonly name: string;
  /** Text and bytes go to plain WebSocket clients as they are; anything else as JSON. */
  readonly data: unknown;
  readonly #encoded = new Map<(message: OutgoingMessage) => Buffer, Buffer>();

  /** @throws TypeError where the name is reserved */
  constructor(name: string, data: unknown) {
    if (RESERVED_NAMES.has(name)) throw new TypeError(`a message cannot be named ${name}: that name is reserved`);
    this.name = name;
    this.data = data;
  }

  encoded(encode: (message: OutgoingMessage) => Buffer): Buffer {
    let bytes = this.#encoded.get(encode);
    if (!bytes) {
      bytes = encode(this);
      this.#encoded.set(encode, bytes);
    }
    return bytes;
  }

  /** The data as a value that JSON can hold: bytes as base64 text. */
  get jsonData(): unknown {
    return this.data instanceof Uint8Array ? Buffer.from(this.data).toString('base64') : this.data;
  }
}
