import { randomUUID } from 'node:crypto';

/** `randomUUID` joins some twenty pieces, and V8 keeps them as such, 500 bytes for each connection; read from bytes, it is one text. */
export function newConnectionId(): string {
  return Buffer.from(randomUUID(), 'latin1').toString('latin1');
}
