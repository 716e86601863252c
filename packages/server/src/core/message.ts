/** An ephemeral message to one or many connections: encoded once for each way of writing it. */
export class Message {
  readonly name: string;
  /** Text and bytes go to plain WebSocket clients as they are; anything else as JSON. */
  readonly data: unknown;
  readonly #encoded = new Map<(message: Message) => Buffer, Buffer>();

  constructor(name: string, data: unknown) {
    this.name = name;
    this.data = data;
  }

  encoded(encode: (message: Message) => Buffer): Buffer {
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
