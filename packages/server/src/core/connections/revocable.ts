import type { Identity } from '../ports/admission.js';
import type { RightsHolder } from './expiry.js';

/** A connection whose identity can be revoked. */
export interface Revocable extends RightsHolder {
  /** Undefined while the connection is anonymous. */
  readonly identity: Identity | undefined;
}

/** The open connections of a gateway, of all entrances: ends those whose identity is revoked. */
export interface RevocationWatch {
  /** Adds an open connection. Its rights end at once if its identity was revoked while it was being admitted. */
  add(connection: Revocable): void;
  delete(connection: Revocable): void;
}
