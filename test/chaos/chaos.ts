import { ClientsPart } from './clients/clients-part.js';
import type { Fault } from './faults/fault.js';
import { Injection } from './faults/injection.js';
import { scheduleFaults } from './faults/schedule.js';
import type { Options } from './options.js';
import { waitUntil } from './parts/waiting.js';
import { progressLine } from './progress.js';
import { Random } from './random.js';
import type { Results } from './results.js';
import type { Stage } from './stage/stage.js';
import { notAtHead } from './verification/head.js';
import type { RevocationKind, Truth } from './verification/truth.js';
import { judge } from './verification/verdict.js';

const PROGRESS_MS = 5_000;
const CATCH_UP_MS = 180_000;

export interface Output {
  /** Prints a progress line while the run goes on. */
  progress(line: string): void;
  /** Records what happened when, for finding a cause later. */
  note(line: string): void;
}

/**
 * One run: start everything, inject faults for a while, restore everything, and compare what was received with what was
 * committed.
 */
export class Chaos {
  readonly #options: Options;
  readonly #stage: Stage;
  readonly #clients: ClientsPart;
  readonly #folder: string;
  readonly #output: Output;

  constructor(options: Options, stage: Stage, folder: string, output: Output) {
    this.#options = options;
    this.#stage = stage;
    this.#folder = folder;
    this.#output = output;
    this.#clients = new ClientsPart({ gatewayPorts: stage.gatewayPorts, folder, seed: options.seed });
  }

  /** @throws Error if a part cannot be started again, or does not do what it is told */
  async run(): Promise<Results> {
    await this.#stage.start();
    await this.#clients.start();
    const faults = await this.#injectFaults();
    this.#output.progress('no more faults: waiting until every client is at the head');
    const { late, truth } = await this.#catchUp();
    const { report } = this.#clients;
    const application = this.#stage.application();
    await this.#clients.stop();
    await this.#stage.stop();
    return {
      faults,
      application,
      clients: report,
      transactions: truth.transactions,
      events: truth.events.length,
      revocations: truth.revocations,
      verdict: await judge(this.#folder, truth),
      surprises: [...this.#stage.parts, this.#clients].flatMap(({ surprises }) => surprises).concat(late),
    };
  }

  /** Ends everything at once, after a signal. */
  abandon(): void {
    this.#clients.abandon();
    this.#stage.abandon();
  }

  async #injectFaults(): Promise<readonly Fault[]> {
    const { seed, durationMs } = this.#options;
    const schedule = scheduleFaults(this.#stage.choices, durationMs, new Random(seed, 'faults'));
    const { parts, links } = this.#stage;
    const users = new Random(seed, 'users');
    const revoke = (kind: RevocationKind) => this.#revoke(kind, users);
    const injection = new Injection({ parts, links, revoke }, new Random(seed, 'cuts'), this.#output.note);
    const begun = performance.now();
    const show = setInterval(() => {
      const { report } = this.#clients;
      this.#output.progress(progressLine(performance.now() - begun, injection.done, this.#stage.application(), report));
    }, PROGRESS_MS);
    try {
      await injection.run(schedule);
    } finally {
      clearInterval(show);
    }
    return injection.done;
  }

  /** Only newcomers are blocked, so that all others stay to the end. */
  #revoke(kind: RevocationKind, random: Random): string | undefined {
    const users = this.#clients.report.followers
      .filter(({ isNewcomer, isShutOut }) => !isShutOut && (kind === 'revoke' || isNewcomer))
      .map(({ user }) => user);
    if (users.length === 0) return undefined;
    const user = random.pick(users);
    this.#stage.revoke(kind, user);
    return user;
  }

  /** @returns a message for each client that did not reach the head in time, although no fault was active */
  async #catchUp(): Promise<{ late: string[]; truth: Truth }> {
    await this.#clients.settle();
    await this.#stage.rest();
    const late = await this.#untilAtHead(await this.#stage.truth());
    // This event comes last, so any unexpected event before it has been received by then.
    await this.#stage.writeLast();
    const truth = await this.#stage.truth();
    late.push(...(await this.#untilAtHead(truth)));
    return { late, truth };
  }

  async #untilAtHead(truth: Truth): Promise<string[]> {
    let late: string[] = [];
    const all = () => {
      late = notAtHead(this.#clients.report.followers, truth);
      return late.length === 0;
    };
    try {
      await waitUntil('all clients to be at the head', all, CATCH_UP_MS);
      return [];
    } catch (error) {
      this.#output.note(String(error));
      return late.map((name) => `${name} was not at the head within ${CATCH_UP_MS} ms`);
    }
  }
}
