import { createHmac, timingSafeEqual } from 'node:crypto';

/** Half of SHA-256, the least that RFC 2104 section 5 allows. */
const SIGNATURE_BYTES = 16;

/**
 * The private session ids that stock clients hand back when they return. One names the id that the connection had, and is signed: no
 * gateway has to remember it, and nobody can ask for the id of somebody else.
 */
export class PrivateSessions {
  readonly #secret: string;

  /** @param secret the same for all gateways to which a client may return */
  constructor(secret: string) {
    this.#secret = secret;
  }

  sign(namespace: string, id: string): string {
    // One text rather than the pieces that it was made of, which V8 would keep for each client.
    return Buffer.from(`${id}.${this.#signature(namespace, id)}`, 'latin1').toString('latin1');
  }

  /** The id that was signed for this namespace; undefined for whatever else a client may send. */
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
