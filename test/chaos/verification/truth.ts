/** A change as the application recorded it in the transaction that made it. */
export interface CommittedEvent {
  readonly id: string;
  readonly topic: string;
  /** The changed row, `account/7`. */
  readonly row: string;
  /** The version of the row after the change; the first version is 1. */
  readonly version: number;
  /** When the transaction recorded it, shortly before the commit, in milliseconds since 1970-01-01 UTC. */
  readonly recordedAtMs: number;
}

/** A revocation of the tokens of a user, or a block of the user, that was committed. */
export interface CommittedRevocation {
  readonly kind: RevocationKind;
  /** The subject of the tokens. */
  readonly user: string;
  /** Tokens that were issued until then are revoked, in milliseconds since 1970-01-01 UTC. */
  readonly atMs: number;
  /** When it was seen to be committed; undefined if nobody looked. */
  readonly committedByMs: number | undefined;
}

export type RevocationKind = 'revoke' | 'block';

export type TableName = 'accounts' | 'orders';

export interface TableRow {
  readonly id: string;
  readonly version: number;
}

/** The facts by the application's own tables, independent of the outbox and the log. */
export interface Truth {
  /** All committed events; the last event of the run comes last. */
  readonly events: readonly CommittedEvent[];
  /**
   * What determines the order. `commits`: the order of `events` itself. `rows`: transactions that share a row come in
   * the order of its versions; the others may come in any order, the same for all followers.
   */
  readonly order: 'commits' | 'rows';
  readonly tables: Readonly<Record<TableName, readonly TableRow[]>>;
  readonly transactions: number;
  readonly revocations: readonly CommittedRevocation[];
}
