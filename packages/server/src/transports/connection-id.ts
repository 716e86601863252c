import { randomUUID } from 'node:crypto';

/**
 * Returns a random UUID as one flat string. `randomUUID` concatenates about twenty pieces, and V8 would keep them for
 * as long as the connection lives: 500 bytes. A string that is decoded from bytes is flat.
 */
export function newConnectionId(): string {
  return Buffer.from(randomUUID(), 'latin1').toString('latin1');
}
