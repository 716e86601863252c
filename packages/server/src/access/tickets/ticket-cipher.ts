import { createCipheriv, createDecipheriv, createHmac, randomBytes } from 'node:crypto';

const CIPHER = 'aes-256-gcm';
const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** The random bytes with which a ticket begins. */
const ID_BYTES = 24;

/**
 * Encrypts and signs the content of tickets (AES-256-GCM, NIST SP 800-38D).
 *
 * Each ticket has a key and a nonce of its own, derived from its random id. Under one key, random nonces would have to
 * stay below 2^32 tickets, which busy gateways issue in some weeks.
 */
export class TicketCipher {
  readonly #key: Uint8Array;

  /** @param key 32 secret bytes that all gateways on the log share */
  constructor(key: Uint8Array) {
    this.#key = key;
  }

  /** @param place what the ticket is bound to; it is not in the text, and must be given again to open it */
  seal(content: string, place: string): string {
    const id = randomBytes(ID_BYTES);
    const { key, nonce } = this.#keyOf(id);
    const cipher = createCipheriv(CIPHER, key, nonce, { authTagLength: TAG_BYTES }).setAAD(Buffer.from(place));
    return Buffer.concat([id, cipher.update(content, 'utf8'), cipher.final(), cipher.getAuthTag()]).toString(
      'base64url',
    );
  }

  /** @returns undefined if the ticket was changed, or is of another key or place */
  open(ticket: string, place: string): { readonly id: string; readonly content: string } | undefined {
    const bytes = Buffer.from(ticket, 'base64url');
    // One ticket has one text: else the id of a spent ticket could be written in another way.
    if (bytes.length <= ID_BYTES + TAG_BYTES || bytes.toString('base64url') !== ticket) return undefined;
    const { key, nonce } = this.#keyOf(bytes.subarray(0, ID_BYTES));
    const decipher = createDecipheriv(CIPHER, key, nonce, { authTagLength: TAG_BYTES })
      .setAAD(Buffer.from(place))
      .setAuthTag(bytes.subarray(-TAG_BYTES));
    try {
      const content = Buffer.concat([decipher.update(bytes.subarray(ID_BYTES, -TAG_BYTES)), decipher.final()]);
      return { id: bytes.toString('base64url', 0, ID_BYTES), content: content.toString('utf8') };
    } catch {
      return undefined;
    }
  }

  #keyOf(id: Uint8Array): { readonly key: Buffer; readonly nonce: Buffer } {
    const derived = createHmac('sha512', this.#key).update(id).digest();
    return { key: derived.subarray(0, KEY_BYTES), nonce: derived.subarray(KEY_BYTES, KEY_BYTES + NONCE_BYTES) };
  }
}

/** The id of a ticket in base64url. */
export const TICKET_ID = /^[\w-]{32}$/;
