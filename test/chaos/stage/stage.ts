import type { FaultChoice } from '../faults/fault.js';
import type { Targets } from '../faults/injection.js';
import type { Truth } from '../verification/truth.js';

/** What all parts of a run share. */
export interface StageOptions {
  /** An empty folder for all that the parts write. */
  readonly folder: string;
  readonly seed: number;
  /** Transactions in a second. */
  readonly rate: number;
}

/** What the processes of the application say of themselves. */
export interface ApplicationState {
  readonly committed: number;
  readonly rolledBack: number;
  /** Failed for want of a part that was down; whether one was committed, the table tells. */
  readonly failed: number;
  /** Events that it appended again though the log had them: after a kill between append and removal. */
  readonly appendedAgain: number;
  /** Events that are written and not yet known to be in the log. */
  readonly pending: number;
  readonly resting: boolean;
}

/** An installation of Pregon with its application: what there is to break, and what is true in the end. */
export interface Stage extends Targets {
  /** The ports through which clients reach the gateways. */
  readonly gatewayPorts: readonly number[];
  readonly choices: readonly FaultChoice[];
  /** Starts all parts; resolves when they serve. */
  start(): Promise<void>;
  /** Of all lives of the application, as far as they could say. */
  application(): ApplicationState;
  /** Makes the application write no more, in all its processes; resolves when the log has all that was committed. */
  rest(): Promise<void>;
  /** Has it commit one last event, `run.ended`. */
  writeLast(): Promise<void>;
  /** Read from the application's own tables. */
  truth(): Promise<Truth>;
  stop(): Promise<void>;
  /** Ends all at once, without waiting. */
  abandon(): void;
}
