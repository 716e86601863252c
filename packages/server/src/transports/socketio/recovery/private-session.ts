import { createHmac, timingSafeEqual } from 'node:crypto';

/** Half of SHA-256, the minimum that RFC 2104 section 5 allows. */
const SIGNATURE_BYTES = 16;

/**
 * The private session ids that stock clients send back when they reconnect. Each contains the id that the connection
 * had, and is signed. So no gateway has to store them, and no client can claim the id of another.
 */
export class PrivateSessions {
  readonly #secret: string;

  /** @param secret shared by all gateways to which a client may return */
  constructor(secret: string) {
    this.#secret = secret;
  }

  sign(namespace: string, id: string): string {
    // One flat string: V8 would otherwise keep the concatenated pieces for each client.
    return Buffer.from(`${id}.${this.#signature(namespace, id)}`, 'latin1').toString('latin1');
  }

  /** Returns the id that was signed for this namespace; undefined if the text is not a valid private session id. */
  verify(namespace: string, signed: string): string | undefined {
    const dot = signed.lastIndexOf('.');
    const id = signed.slice(0, Math.max(dot, 0));
    const expected = Buffer.from(this.#signature(namespace, id));
    const given = Buffer.from(signed.slice(dot + 1));
    return given.length === expected.length && timingSafeEqual(given, expected) ? id : undefined;
  }

  #signature(namespace: string, id: string): string {
    const digest = createHmac('sha256', this.#secret).update(`${namespace}\n${id}`).digest();
    return digest.toString('base64url', 0, SIGNATURE_BYTES);
  }
}
