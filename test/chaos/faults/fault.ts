export type FaultKind =
  /** `kill -9`, and a new start after `durationMs`. */
  | 'kill'
  /** `kill -9` of a child process, after which the part goes on, or recovers, by itself. */
  | 'kill a process of'
  /** SIGSTOP, and SIGCONT after `durationMs`. */
  | 'freeze process'
  /** All connections of a link are reset. */
  | 'cut all'
  /** About half of the connections of a link are reset. */
  | 'cut some'
  /** A link forwards nothing for `durationMs`. */
  | 'freeze link'
  /** A regular end, as by its operator, and a new start after `durationMs`. */
  | 'restart'
  /** The application revokes the tokens of a user in a transaction. */
  | 'revoke'
  /** The application blocks a user in a transaction. */
  | 'block';

/** A fault that can happen to one target. */
export interface FaultChoice {
  readonly kind: FaultKind;
  /** The name of a part or a link, or which users. */
  readonly target: string;
  /** How often it happens, relative to the others. */
  readonly weight: number;
  /** The shortest and the longest duration. */
  readonly durationMs: readonly [number, number];
  /** How long the target is left alone afterwards, so that it is running again for the next fault. */
  readonly recoveryMs: number;
}

export interface Fault {
  /** Milliseconds since the beginning of the run. */
  readonly atMs: number;
  readonly kind: FaultKind;
  readonly target: string;
  readonly durationMs: number;
}
