import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Identity } from '../../../core/ports/admission.js';

/** Half of SHA-256, the minimum that RFC 2104 section 5 allows. */
const SIGNATURE_BYTES = 16;

/** Enough to tell owners apart: a client cannot choose its issuer and subject. */
const OWNER_BYTES = 12;

/** What a valid private session id says. */
export interface SignedSession {
  /** The id that the connection had. */
  readonly id: string;
  /** Equal for equal owners of the same session; empty for a client without an identity. */
  readonly owner: string;
}

/**
 * The private session ids that stock clients send back when they reconnect. Each contains the id that the connection
 * had and a mark of its owner, and is signed. So no gateway has to store them, and no client can claim the id of
 * another.
 */
export class PrivateSessions {
  readonly #secret: string;

  /** @param secret shared by all gateways to which a client may return */
  constructor(secret: string) {
    this.#secret = secret;
  }

  sign(namespace: string, id: string, identity: Identity | undefined): string {
    const session = `${id}.${this.ownerOf(id, identity)}`;
    // One flat string: V8 would otherwise keep the concatenated pieces for each client.
    return Buffer.from(`${session}.${this.#signature(namespace, session)}`, 'latin1').toString('latin1');
  }

  /** Returns what was signed for this namespace; undefined if the text is not a valid private session id. */
  verify(namespace: string, signed: string): SignedSession | undefined {
    const dot = signed.lastIndexOf('.');
    const session = signed.slice(0, Math.max(dot, 0));
    const expected = Buffer.from(this.#signature(namespace, session));
    const given = Buffer.from(signed.slice(dot + 1));
    if (given.length !== expected.length || !timingSafeEqual(given, expected)) return undefined;
    const middle = session.lastIndexOf('.');
    return { id: session.slice(0, Math.max(middle, 0)), owner: session.slice(middle + 1) };
  }

  /** The mark of the owner of a session, which does not tell who that is. */
  ownerOf(id: string, identity: Pick<Identity, 'iss' | 'sub'> | undefined): string {
    return identity ? this.#digest(['owner', id, identity.iss, identity.sub], OWNER_BYTES) : '';
  }

  #signature(namespace: string, session: string): string {
    return this.#digest(['session', namespace, session], SIGNATURE_BYTES);
  }

  #digest(parts: readonly string[], bytes: number): string {
    const digest = createHmac('sha256', this.#secret).update(JSON.stringify(parts)).digest();
    return digest.toString('base64url', 0, bytes);
  }
}
