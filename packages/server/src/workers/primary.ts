import cluster from 'node:cluster';
import { mkdtempSync, rmSync } from 'node:fs';
import { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../core/time/clock.js';
import { pause, within } from '../core/time/deadline.js';
import type { Logger } from '../gateway/options.js';
import { CountBoard } from './count-board.js';
import type { Facts, ToPrimary } from './messages.js';
import { assertPath, privateSocket } from './private-socket.js';
import { Restarts } from './restarts.js';
import { type Ended, type Variables, WorkerProcess } from './worker-process.js';

/** How long a worker may take to report whether it is ready. */
const READY_PATIENCE_MS = 1_000;

/** How much longer than the drain time a worker may take to end. */
const END_PATIENCE_MS = 5_000;

export interface PrimaryOptions {
  readonly workers: number;
  /** Arguments of the workers, without secrets: every user of the machine can see them. */
  readonly args: readonly string[];
  /**
   * Environment variables that tell a process that it is a worker, its number, and the folder shared by the workers.
   */
  readonly variablesOf: (number: number, folder: string) => Variables;
  /** Node.js flags of the workers. */
  readonly execArgv: readonly string[];
  /** How long the workers may take to drain. */
  readonly drainMs: number;
  /** Called once, when all workers serve clients. */
  readonly onServing: (facts: Facts) => void;
  readonly logger: Logger;
}

/**
 * Starts this program again as workers that share its ports, restarts workers that end, and stops them all. It serves
 * no clients itself. The first worker starts alone, so that a mistake common to all workers is reported once.
 */
export class Primary {
  readonly #options: PrimaryOptions;
  readonly #folder = mkdtempSync(join(tmpdir(), 'pregon-workers-'));
  /** The workers by number, from 1. */
  readonly #workers = new Map<number, WorkerProcess>();
  readonly #counts = new CountBoard<WorkerProcess>(systemClock);
  readonly #stopping = new AbortController();
  /** Called with the reason when restarting is pointless. */
  #giveUp: (error: Error) => void = () => {};

  /** @throws Error if the path of the folder for temporary files is too long */
  constructor(options: PrimaryOptions) {
    this.#options = options;
    cluster.setupPrimary({ args: [...options.args], execArgv: [...options.execArgv] });
    // No worker is left behind, however this process ends; only SIGKILL skips this.
    process.once('exit', () => {
      for (const worker of this.#workers.values()) worker.kill();
      rmSync(this.#folder, { recursive: true, force: true });
    });
    assertPath(privateSocket(this.#folder, options.workers));
  }

  /**
   * Runs until `stop` resolves.
   *
   * @returns the exit code; that of the first worker if it ended before it served, because it has reported the reason
   * @throws Error if workers end again and again at their start, and none serves
   */
  async run(stop: Promise<string>): Promise<number> {
    const hopeless = new Promise<Error>((resolve) => {
      this.#giveUp = resolve;
    });
    const first = this.#fork(1);
    const started = await Promise.race([first.served, first.ended, stop]);
    if (typeof started === 'object' && 'servedMs' in started) return exitCodeOf(started);
    if (typeof started === 'object') this.#startOthers(first, started);
    const end = await Promise.race([stop, hopeless]);
    await this.#stop(typeof end === 'string' ? end : 'SIGTERM');
    if (typeof end === 'string') return 0;
    throw end;
  }

  /** Makes all workers read files with keys again. */
  reload(): void {
    for (const worker of this.#workers.values()) worker.reload();
  }

  #startOthers(first: WorkerProcess, facts: Facts): void {
    const { workers, onServing } = this.#options;
    const numbers = Array.from({ length: workers }, (_, index) => index + 1);
    const waitingFor = new Set(numbers);
    const served = (number: number) => {
      if (!waitingFor.delete(number) || waitingFor.size > 0 || this.#stopping.signal.aborted) return;
      onServing(facts);
    };
    for (const number of numbers) void this.#keep(number, number === 1 ? first : this.#fork(number), served);
  }

  /** Keeps a worker with this number running until the primary stops. */
  async #keep(number: number, first: WorkerProcess, served: (number: number) => void): Promise<void> {
    const { logger } = this.#options;
    const restarts = new Restarts(Math.random);
    for (let worker = first; ; worker = this.#fork(number)) {
      void worker.served.then(() => served(number));
      const ended = await worker.ended;
      if (this.#stopping.signal.aborted) return;
      const pauseMs = restarts.ended(ended.servedMs);
      const { code, signal } = ended;
      if (restarts.isHopeless && ![...this.#workers.values()].some(({ isServing }) => isServing)) {
        return this.#giveUp(
          new Error(`worker ${number} ${describeEnd(ended)} again and again, and no other worker serves`),
        );
      }
      logger.warn({ worker: number, code, signal, pauseMs }, 'a worker has ended; restarting it');
      await pause(pauseMs, this.#stopping.signal);
      if (this.#stopping.signal.aborted) return;
    }
  }

  #fork(number: number): WorkerProcess {
    const worker = new WorkerProcess(number, this.#options.variablesOf(number, this.#folder));
    worker.onMessage = (message, socket) => {
      void this.#hear(worker, message, socket instanceof Socket ? socket : undefined);
    };
    this.#workers.set(number, worker);
    this.#counts.join(worker);
    void worker.ended.then(() => this.#counts.leave(worker));
    return worker;
  }

  async #hear(from: WorkerProcess, message: ToPrimary, socket: Socket | undefined): Promise<void> {
    switch (message.op) {
      case 'ready?':
        return from.tell({ op: 'ready', id: message.id, notReady: await this.#notReady() });
      case 'hand': {
        const { to, ticket, head } = message;
        const owner = this.#workers.get(to);
        if (socket && !owner?.give(ticket, head, socket)) refuseUnknownSession(socket);
        return;
      }
      case 'released': {
        const { to, ticket } = message;
        return this.#workers.get(to)?.released(ticket);
      }
      case 'counts':
        return this.#counts.report(from, message);
    }
  }

  async #notReady(): Promise<string | undefined> {
    const all = await Promise.all([...this.#workers.values()].map((worker) => worker.notReady(READY_PATIENCE_MS)));
    return all.find((notReady) => notReady !== undefined);
  }

  /** Resolves when all workers have ended. Workers that do not end in time are killed. */
  async #stop(signal: string): Promise<void> {
    this.#stopping.abort();
    const workers = [...this.#workers.values()];
    for (const worker of workers) worker.stop(signal);
    const ended = Promise.all(workers.map((worker) => worker.ended));
    await within(this.#options.drainMs + END_PATIENCE_MS, ended, () => {
      for (const worker of workers) worker.kill();
      return ended;
    });
  }
}

function exitCodeOf(ended: Ended): number {
  if (ended.code === null) throw new Error(`the first worker ${describeEnd(ended)} before it served`);
  return ended.code;
}

function describeEnd({ code, signal }: Ended): string {
  return `ended with ${signal ?? `exit code ${code}`}`;
}

/** Answers as Engine.IO does for an unknown session; the client then connects with a new one. */
function refuseUnknownSession(socket: Socket): void {
  const body = 'Session ID unknown';
  const headers = `Connection: close\r\nContent-Type: text/html\r\nContent-Length: ${body.length}`;
  socket.once('finish', () => socket.destroy());
  socket.end(`HTTP/1.1 400 Bad Request\r\n${headers}\r\n\r\n${body}`);
}
