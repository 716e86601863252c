import { CLOSE_CODES } from '@pregon/protocol';
import type { Revocable } from '../../core/connections/revocable.js';
import type { TurnBudget } from '../../core/incoming/turn-budget.js';
import type { Identity } from '../../core/ports/admission.js';
import type { Clock } from '../../core/time/clock.js';

/** How long the first step may take: it ends the rights of one identity among some 50,000 connections. */
const FIRST_STEP_MS = 5;

/** How many connections are looked at between two looks at the clock. */
const AT_ONCE = 64;

export interface RevocableConnectionsOptions {
  readonly clock: Pick<Clock, 'now'>;
  /** The work for many connections is spread over event loop turns. */
  readonly turn: TurnBudget;
  /** Called if a handler of the application fails when its connection ends. The other connections are ended as well. */
  readonly onFailed: (error: unknown) => void;
}

/** The open connections of all entrances, and how those of a revoked identity are ended. */
export class RevocableConnections {
  readonly #options: RevocableConnectionsOptions;
  readonly #open = new Set<Revocable>();

  constructor(options: RevocableConnectionsOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#open.size;
  }

  add(connection: Revocable): void {
    this.#open.add(connection);
  }

  delete(connection: Revocable): void {
    this.#open.delete(connection);
  }

  /**
   * Ends the rights of all matching connections, and then closes them. It begins at once, so that of a few thousand
   * connections none gets an event that is delivered after this call.
   */
  end(isRevoked: (identity: Identity) => boolean): void {
    const { clock } = this.#options;
    const until = clock.now() + FIRST_STEP_MS;
    const walk = new Walk(this.#open, isRevoked, (work) => this.#guarded(work));
    while (!walk.isDone && clock.now() < until) walk.step(AT_ONCE);
    this.#continue(walk);
  }

  /** Ends the rights of one connection now, and closes it in a later turn. */
  endOne(connection: Revocable): void {
    this.#guarded(() => connection.endRights(CLOSE_CODES.REVOKED));
    this.#options.turn.wait(() => this.#guarded(() => connection.closeEnded(CLOSE_CODES.REVOKED)));
  }

  #guarded(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#options.onFailed(error);
    }
  }

  #continue(walk: Walk): void {
    if (walk.isDone && walk.ended.length === 0) return;
    const { turn } = this.#options;
    turn.wait(() => {
      while (!walk.isDone && !turn.isSpent) {
        walk.step(AT_ONCE);
        turn.look();
      }
      // Closing costs more than ending rights, and no delivery must wait for it.
      while (walk.isDone && walk.ended.length > 0 && !turn.isSpent) {
        const connection = walk.ended.pop();
        this.#guarded(() => connection?.closeEnded(CLOSE_CODES.REVOKED));
        turn.look();
      }
      this.#continue(walk);
    });
  }
}

/** One pass over the connections. */
class Walk {
  readonly #connections: Iterator<Revocable>;
  readonly #isRevoked: (identity: Identity) => boolean;
  readonly #guarded: (work: () => void) => void;
  /** The connections whose rights were ended, and that are still to be closed. */
  readonly ended: Revocable[] = [];
  isDone = false;

  constructor(
    connections: Iterable<Revocable>,
    isRevoked: (identity: Identity) => boolean,
    guarded: (work: () => void) => void,
  ) {
    this.#guarded = guarded;
    // Stays valid while connections come and go.
    this.#connections = connections[Symbol.iterator]();
    this.#isRevoked = isRevoked;
  }

  step(count: number): void {
    for (let looked = 0; looked < count; looked++) {
      const { done, value: connection } = this.#connections.next();
      if (done) {
        this.isDone = true;
        return;
      }
      const { identity } = connection;
      if (identity === undefined || !this.#isRevoked(identity)) continue;
      this.#guarded(() => connection.endRights(CLOSE_CODES.REVOKED));
      this.ended.push(connection);
    }
  }
}
