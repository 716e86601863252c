/** The full state of a collection, and the point of the log that it stands for. */
export interface Snapshot {
  /**
   * Do not change the rows after returning them: large snapshots are encoded over several event loop turns. A single
   * row is encoded in one turn, whatever its size.
   */
  readonly rows: readonly unknown[];
  /** The highest outbox sequence whose change the rows include, read in the same transaction; 0 if none yet. */
  readonly sequence: number;
  /** The `source` of the events that the sequence counts. @default any source */
  readonly source?: string;
  /**
   * The highest sequence that the relay had appended to the log when the rows were read. It tells a log that has
   * dropped the event of `sequence` from a log that does not contain it yet.
   */
  readonly relayed?: number;
}

/** Reads the rows of all topics. Only clients with the right to all topics (`#`) may have such a snapshot. */
export type SnapshotFunction = () => Snapshot | Promise<Snapshot>;

/** What a snapshot is read for. */
export interface SnapshotRequest {
  /**
   * The topic patterns that the client may read; `['#']` for all topics, never empty. The snapshot must not have rows
   * of other topics: `matchesTopic` of `@pregon/protocol` tests a pattern.
   */
  readonly topics: readonly string[];
}

/**
 * The identity that a snapshot is read for. The claims are those of the token, as JSON, without `iat`, `nbf`, `exp` and
 * `jti`.
 */
export interface SnapshotIdentity {
  readonly iss: string;
  readonly sub: string;
  readonly claims: Readonly<Record<string, unknown>>;
}

export interface IdentitySnapshotRequest extends SnapshotRequest {
  /** Undefined for a client without a token. */
  readonly identity: SnapshotIdentity | undefined;
}

/**
 * A snapshot for clients with limited rights: `read` returns only the rows that the patterns allow. Clients that may
 * read the same topics share it, so it must depend on nothing else.
 *
 * A plain function cannot be used for them: one that ignores the patterns would send every client the rows of all
 * others. So `per` is how the application says that `read` looks at them.
 *
 * @example
 * snapshot: {
 *   per: 'rights',
 *   read({ topics }) {
 *     const isAllowed = ({ id }) => topics.some((topic) => matchesTopic(topic, `user.${id}`));
 *     return outbox.snapshot(db, () => allUsers().filter(isAllowed));
 *   },
 * }
 */
export interface RightsSnapshot {
  readonly per: 'rights';
  read(request: SnapshotRequest): Snapshot | Promise<Snapshot>;
}

/** The same for a snapshot that depends on the identity too: it is read for each identity. */
export interface IdentitySnapshot {
  readonly per: 'identity';
  read(request: IdentitySnapshotRequest): Snapshot | Promise<Snapshot>;
}

/**
 * The same from a URL. Each request has `Authorization: Bearer` with a JSON Web Token, which is signed with the option
 * `snapshotSecret` and has the members of the request as claims. The application must check it.
 */
export interface UrlSnapshot {
  readonly per: 'rights' | 'identity';
  readonly url: string;
}

/** A snapshot with encoded rows. */
export interface ChunkedSnapshot extends Omit<Snapshot, 'rows'> {
  /** At least one JSON array of about 64 KiB; together they contain all rows. */
  readonly chunks: readonly string[];
}

/** Reads the snapshots of a route. */
export type SnapshotSource = (
  request: IdentitySnapshotRequest,
) => Snapshot | ChunkedSnapshot | Promise<Snapshot | ChunkedSnapshot>;
