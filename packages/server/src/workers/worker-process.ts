import type { SendHandle } from 'node:child_process';
import cluster, { type Worker as ClusterWorker } from 'node:cluster';
import { Socket } from 'node:net';
import type { Counts } from '../core/counts/counts.js';
import { handleOf, watchDealt } from '../private-fields/node-net.js';
import { guard } from '../transports/sockets/guarded-socket.js';
import { type Facts, readToPrimary, type ToPrimary, type ToWorker } from './messages.js';

/** How a process ended. */
export interface Ended {
  readonly code: number | null;
  readonly signal: string | null;
  /** How long it served, in milliseconds; 0 if it never did. */
  readonly servedMs: number;
}

export type Variables = Readonly<Record<string, string>>;

/** The process of a worker, as the primary sees it. */
export class WorkerProcess {
  readonly number: number;
  /** Resolves when the worker serves clients; never, if it ends before. */
  readonly served: Promise<Facts>;
  readonly ended: Promise<Ended>;
  /** Handles messages to the primary that this class does not answer; `socket` came with the message, if any. */
  onMessage: (message: ToPrimary, socket: SendHandle | undefined) => void = () => {};
  readonly #process: ClusterWorker;
  readonly #asked = new Map<number, (notReady: string | undefined) => void>();
  /**
   * Closes connections on their way to the worker, by ticket. If the worker is killed, Node closes neither these nor
   * the ones dealt to it.
   */
  readonly #going = new Map<string, () => void>();
  #lastId = 0;
  #servingSince: number | undefined;
  /** Whether it was told to read files again before it served, and so before it read messages. */
  #mustReload = false;
  #isGone = false;

  /** @param variables environment variables in addition to those of this process */
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
          if (this.#mustReload) this.tell({ op: 'reload' });
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
    // A channel breaks during a send only if the process ends, and `ended` reports that.
    this.#process.on('error', () => {});
  }

  get pid(): number | undefined {
    return this.#process.process.pid;
  }

  get isServing(): boolean {
    return this.#servingSince !== undefined && !this.#isGone;
  }

  /** Asks the worker why it is not ready, for at most `patienceMs`; undefined if it is ready. */
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

  /** @param written called when the channel can take the next message; never, if the worker is stuck or ends */
  tellCounts(counts: Counts, written: () => void): void {
    if (!this.#process.isConnected()) return;
    this.#process.process.send({ op: 'counts', ...counts } satisfies ToWorker, undefined, undefined, written);
  }

  /**
   * Hands a connection to the worker. It is closed here when the worker has received it.
   *
   * @param head the bytes already read from the connection
   * @returns false if the worker cannot take it
   */
  give(ticket: string, head: string, socket: Socket): boolean {
    if (!this.isServing || !this.#process.isConnected()) return false;
    // After the send, the socket is detached from its handle.
    const handle = handleOf(socket);
    this.#going.set(ticket, () => {
      socket.destroy();
      handle?.close();
    });
    this.#process.process.send({ op: 'take', ticket, head } satisfies ToWorker, socket);
    return true;
  }

  /**
   * Tells the worker that no other process reads the connection any longer. The channel sends this after the connection
   * was received.
   */
  released(ticket: string): void {
    if (!this.#process.isConnected()) return;
    const message: ToWorker = { op: 'released', ticket };
    this.#process.process.send(message, undefined, undefined, () => this.#going.delete(ticket));
  }

  /** A worker that is still starting does not read messages yet, and would miss this one. A signal reaches it. */
  stop(signal: string): void {
    if (this.isServing) this.tell({ op: 'stop', signal });
    else if (!this.#isGone) this.#process.process.kill('SIGTERM');
  }

  /** Makes the worker read files with keys again. */
  reload(): void {
    if (this.isServing) this.tell({ op: 'reload' });
    else this.#mustReload = true;
  }

  kill(): void {
    if (!this.#isGone) this.#process.process.kill('SIGKILL');
  }
}
