import type { FaultChoice } from '../faults/fault.js';
import type { Targets } from '../faults/injection.js';
import type { RevocationKind, Truth } from '../verification/truth.js';

/** What all parts of a run share. */
export interface StageOptions {
  /** An empty folder for all files of the parts. */
  readonly folder: string;
  readonly seed: number;
  /** Transactions per second. */
  readonly rate: number;
}

/** What the processes of the application report. */
export interface ApplicationState {
  readonly committed: number;
  readonly rolledBack: number;
  /** Transactions that failed because a part was down; the table tells which of them were committed. */
  readonly failed: number;
  /** Events that it appended although the log had them: after a kill between append and removal. */
  readonly appendedAgain: number;
  /** Events that are written, but not yet known to be in the log. */
  readonly pending: number;
  readonly resting: boolean;
}

/** An installation of Pregon with its application: the targets of faults, and the truth at the end. */
export interface Stage extends Pick<Targets, 'parts' | 'links'> {
  /** The ports through which clients reach the gateways. */
  readonly gatewayPorts: readonly number[];
  readonly choices: readonly FaultChoice[];
  /** Starts all parts, and resolves when they serve. */
  start(): Promise<void>;
  /** The sum over all lives of the application, as far as they could report. */
  application(): ApplicationState;
  /** Stops the writers of all application processes, and resolves when the log has all committed events. */
  rest(): Promise<void>;
  /** Makes the application commit one last event, `run.ended`. */
  writeLast(): Promise<void>;
  /** Makes a process of the application revoke the tokens of a user, or block the user, if one runs. */
  revoke(kind: RevocationKind, user: string): void;
  /** Read from the application's own tables. */
  truth(): Promise<Truth>;
  stop(): Promise<void>;
  /** Ends all parts at once, without waiting. */
  abandon(): void;
}
