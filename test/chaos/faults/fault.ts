export type FaultKind =
  /** `kill -9`, and started again after `durationMs`. */
  | 'kill'
  /** `kill -9` of one of the processes that it started itself, after which it goes on, or recovers, by itself. */
  | 'kill a process of'
  /** SIGSTOP, and SIGCONT after `durationMs`. */
  | 'freeze process'
  /** All connections of a link are reset. */
  | 'cut all'
  /** About half of them are. */
  | 'cut some'
  /** A link passes nothing on for `durationMs`. */
  | 'freeze link'
  /** Asked to end as its operator would, and started again after `durationMs`. */
  | 'restart';

/** What may happen to one target. */
export interface FaultChoice {
  readonly kind: FaultKind;
  /** The name of a part or a link. */
  readonly target: string;
  /** How often, compared with the others. */
  readonly weight: number;
  /** The shortest and longest duration. */
  readonly durationMs: readonly [number, number];
  /** How long the target is left alone afterwards, so that it is there to be hit again. */
  readonly recoveryMs: number;
}

export interface Fault {
  /** Since the beginning of the run. */
  readonly atMs: number;
  readonly kind: FaultKind;
  readonly target: string;
  readonly durationMs: number;
}
