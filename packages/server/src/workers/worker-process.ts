import type { SendHandle } from 'node:child_process';
import cluster, { type Worker as ClusterWorker } from 'node:cluster';
import { Socket } from 'node:net';
import { handleOf, watchDealt } from '../private-fields/node-net.js';
import { guard } from '../transports/sockets/guarded-socket.js';
import { type Facts, readToPrimary, type ToPrimary, type ToWorker } from './messages.js';

/** How a process ended. */
export interface Ended {
  readonly code: number | null;
  readonly signal: string | null;
  /** For how long it served, in milliseconds; 0 where it never did. */
  readonly servedMs: number;
}

export type Variables = Readonly<Record<string, string>>;

/** A worker's process, as the primary sees it. */
export class WorkerProcess {
  readonly number: number;
  /** Resolves when it serves; never, where it ends before. */
  readonly served: Promise<Facts>;
  readonly ended: Promise<Ended>;
  /** What it asks the primary for, beside what is answered here; `socket` where one came with it. */
  onMessage: (message: ToPrimary, socket: SendHandle | undefined) => void = () => {};
  readonly #process: ClusterWorker;
  readonly #asked = new Map<number, (notReady: string | undefined) => void>();
  /** Ends what goes to it, by ticket, and was not received yet. As of what is dealt to it, Node lets go of none of them where it is killed. */
  readonly #going = new Map<string, () => void>();
  #lastId = 0;
  #servingSince: number | undefined;
  #isGone = false;

  /** @param variables of its environment, beside those of this process */
  constructor(number: number, variables: Variables) {
    this.number = number;
    this.#process = cluster.fork(variables);
    const dealt = watchDealt(this.#process.process);
    this.served = new Promise((resolve) => {
      this.#process.on('message', (raw: unknown, socket?: SendHandle) => {
        if (socket instanceof Socket) guard(socket);
        const message = readToPrimary(raw);
        if (message?.op === 'serving') {
          this.#servingSince = performance.now();
          resolve(message.facts);
        } else if (message?.op === 'readiness') {
          this.#asked.get(message.id)?.(message.notReady);
          this.#asked.delete(message.id);
        } else if (message) this.onMessage(message, socket);
      });
    });
    this.ended = new Promise((resolve) => {
      this.#process.once('exit', (code: number | null, signal: string | null) => {
        this.#isGone = true;
        for (const answer of this.#asked.values()) answer(`worker ${this.number} has ended`);
        for (const connection of dealt.values()) connection.close();
        for (const end of this.#going.values()) end();
        const since = this.#servingSince;
        resolve({ code, signal, servedMs: since === undefined ? 0 : performance.now() - since });
      });
    });
    // A channel that breaks while something is sent belongs to a process that ends, which is told by `ended`.
    this.#process.on('error', () => {});
  }

  get pid(): number | undefined {
    return this.#process.process.pid;
  }

  get isServing(): boolean {
    return this.#servingSince !== undefined && !this.#isGone;
  }

  /** Why it is not ready, undefined where it is; asks it, and does not wait for longer than `patienceMs`. */
  async notReady(patienceMs: number): Promise<string | undefined> {
    if (!this.isServing) return `worker ${this.number} is starting`;
    const id = ++this.#lastId;
    return new Promise((resolve) => {
      const answer = (notReady: string | undefined) => {
        clearTimeout(late);
        this.#asked.delete(id);
        resolve(notReady);
      };
      const late = setTimeout(() => answer(`worker ${this.number} does not answer`), patienceMs);
      this.#asked.set(id, answer);
      this.tell({ op: 'readiness?', id });
    });
  }

  tell(message: ToWorker): void {
    if (this.#process.isConnected()) this.#process.process.send(message);
  }

  /**
   * Gives it a connection, which is closed here when it was received.
   *
   * @param head all that was read of it
   * @returns false where it is not there to take it
   */
  give(ticket: string, head: string, socket: Socket): boolean {
    if (!this.isServing || !this.#process.isConnected()) return false;
    // Sent, the socket has no more to do with it.
    const handle = handleOf(socket);
    this.#going.set(ticket, () => {
      socket.destroy();
      handle?.close();
    });
    this.#process.process.send({ op: 'take', ticket, head } satisfies ToWorker, socket);
    return true;
  }

  /** What it was given is read by nobody else any more. Sent after the connection was received, as all that follows one is. */
  released(ticket: string): void {
    if (!this.#process.isConnected()) return;
    const message: ToWorker = { op: 'released', ticket };
    this.#process.process.send(message, undefined, undefined, () => this.#going.delete(ticket));
  }

  /** One that still starts does not listen to what it is told: what it does not hear is lost. A signal reaches it. */
  stop(signal: string): void {
    if (this.isServing) this.tell({ op: 'stop', signal });
    else if (!this.#isGone) this.#process.process.kill('SIGTERM');
  }

  kill(): void {
    if (!this.#isGone) this.#process.process.kill('SIGKILL');
  }
}
