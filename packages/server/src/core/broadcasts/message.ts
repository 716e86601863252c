import type { OutgoingMessage } from '../ports/delivery.js';

/** Names that Socket.IO reserves for itself, and names of the gateway's own messages to Socket.IO clients. */
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

/** An ephemeral message to one or more connections: encoded once for each encoding. */
export class Message implements OutgoingMessage {
  readonly name: string;
  /** Text and bytes are sent unchanged to plain WebSocket clients; other data is sent as JSON. */
  readonly data: unknown;
  readonly #encoded = new Map<(message: OutgoingMessage) => Buffer, Buffer>();

  /** @throws TypeError if the name is reserved */
  constructor(name: string, data: unknown) {
    if (RESERVED_NAMES.has(name)) throw new TypeError(`the message name ${name} is reserved: use another one`);
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

  /** The data as a JSON value: bytes are base64 text. */
  get jsonData(): unknown {
    return this.data instanceof Uint8Array ? Buffer.from(this.data).toString('base64') : this.data;
  }
}
