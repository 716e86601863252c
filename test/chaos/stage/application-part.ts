import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DEATH_PLACES } from '../application/death.js';
import {
  type ApplicationOrder,
  type ApplicationReport,
  type ApplicationSettings,
  isReport,
} from '../application/settings.js';
import { Part } from '../parts/part.js';
import { answers } from '../parts/probe.js';
import { waitUntil } from '../parts/waiting.js';
import type { RevocationKind } from '../verification/truth.js';
import type { ApplicationState } from './stage.js';

const MAIN = fileURLToPath(new URL('../application/main.js', import.meta.url));

/** Undefined means a random instant. */
const KILLED_AT = [undefined, ...DEATH_PLACES];

/** How long to wait for a place to be passed: nothing is written while the database is down. */
const DEATH_WITHIN_MS = 500;

/** How long the application may take to bring its events to the log. */
const REST_DEADLINE_MS = 180_000;

/** The writing application, over all its lives. */
export class ApplicationPart extends Part {
  /** The last report of each life, by pid. */
  readonly #lives: Map<number, ApplicationReport>;
  #kills = 0;

  constructor(name: string, folder: string, settings: ApplicationSettings) {
    const lives = new Map<number, ApplicationReport>();
    super({
      name,
      command: () => ({ file: process.execPath, args: [MAIN, JSON.stringify(settings)] }),
      serves: () => answers(`http://127.0.0.1:${settings.port}/health`, 204),
      logFile: join(folder, `${name}.log`),
      onMessage: (message) => {
        if (isReport(message)) lives.set(message.pid, message);
      },
    });
    this.#lives = lives;
  }

  /** Kills at a random instant, or at each of the places between two steps that must be atomic, in turn. */
  override async kill(): Promise<void> {
    const place = KILLED_AT[this.#kills++ % KILLED_AT.length];
    if (place !== undefined) await this.killItself(() => this.#tell({ order: 'die', place }), DEATH_WITHIN_MS);
    await super.kill();
  }

  get state(): ApplicationState {
    const lives = [...this.#lives.values()];
    const sum = (count: (life: ApplicationReport) => number) => lives.reduce((total, life) => total + count(life), 0);
    return {
      committed: sum((life) => life.committed),
      rolledBack: sum((life) => life.rolledBack),
      failed: sum((life) => life.failed),
      appendedAgain: sum((life) => life.appendedAgain),
      pending: this.#life?.pending ?? 0,
      resting: this.#life?.resting ?? false,
    };
  }

  /** Stops the writers, and resolves when the log has all committed events. */
  async rest(): Promise<void> {
    this.#tell({ order: 'rest' });
    await waitUntil(`${this.name} to rest`, () => this.state.resting, REST_DEADLINE_MS);
  }

  async writeLast(): Promise<void> {
    this.#tell({ order: 'write last' });
    await waitUntil('the last event to be written', () => this.#life?.wroteLast ?? false, REST_DEADLINE_MS);
  }

  /** Makes it revoke the tokens of a user, or block the user. */
  revoke(kind: RevocationKind, user: string): void {
    this.#tell({ order: kind, user });
  }

  get #life(): ApplicationReport | undefined {
    return this.pid === undefined ? undefined : this.#lives.get(this.pid);
  }

  #tell(order: ApplicationOrder): void {
    this.send(order);
  }
}
