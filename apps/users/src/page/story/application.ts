/** The answer of the application at `/status`. */
export interface ApplicationStatus {
  readonly databaseKind: string;
  readonly databaseName: string;
  readonly users: number;
  readonly logKind: string;
  readonly source: string;
  /** The last event of the source that is in the log; 0 before the first. */
  readonly sequence: number;
  /** How many events are committed and not in the log yet. */
  readonly pending: number;
  readonly gatewayCommand: string;
}

/**
 * `unknown` before the first answer; `failing` if the application answers but cannot read its database; `silent` if it
 * does not answer.
 */
export type ApplicationState = 'unknown' | 'answers' | 'failing' | 'silent';

/** The interval of status requests during an outage of the gateway, when the page has no other source. */
const OUTAGE_MS = 1_000;
/**
 * Otherwise, how long after the last event a status request is sent: an event shows that the application is running.
 */
const QUIET_MS = 15_000;
const TIMEOUT_MS = 3_000;

/**
 * Requests the status of the application, so that the page knows whether it is running and how many events are in its
 * log.
 */
export class ApplicationWatch {
  readonly #changed: () => void;
  #state: ApplicationState = 'unknown';
  #status: ApplicationStatus | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isOutage = false;
  #isAsking = false;

  /** @param changed called after each request, answered or not */
  constructor(changed: () => void) {
    this.#changed = changed;
    document.addEventListener('visibilitychange', () => {
      if (!document.hidden) void this.ask();
    });
  }

  get state(): ApplicationState {
    return this.#state;
  }

  /** The last answer; it is kept when the application stops answering. */
  get status(): ApplicationStatus | undefined {
    return this.#status;
  }

  /** Whether the page has no gateway: then the status is requested every second. */
  set outage(isOutage: boolean) {
    if (isOutage === this.#isOutage) return;
    this.#isOutage = isOutage;
    if (isOutage) void this.ask();
    else this.#schedule();
  }

  /** Must be called with each live event, which shows that the application is running. */
  heard(): void {
    if (!this.#isOutage && this.#state === 'answers') this.#schedule();
  }

  async ask(): Promise<void> {
    if (this.#isAsking) return;
    this.#isAsking = true;
    clearTimeout(this.#timer);
    try {
      const response = await fetch('/status', { signal: AbortSignal.timeout(TIMEOUT_MS) });
      if (response.ok) this.#status = readStatus(await response.json());
      this.#state = response.ok ? 'answers' : 'failing';
    } catch {
      this.#state = 'silent';
    }
    this.#isAsking = false;
    this.#schedule();
    this.#changed();
  }

  #schedule(): void {
    clearTimeout(this.#timer);
    const isUrgent = this.#isOutage || this.#state !== 'answers';
    this.#timer = setTimeout(() => !document.hidden && void this.ask(), isUrgent ? OUTAGE_MS : QUIET_MS);
  }
}

/** @throws TypeError if it is not a status */
function readStatus(value: unknown): ApplicationStatus {
  const database = member(value, 'database');
  const log = member(value, 'log');
  return {
    databaseKind: text(database, 'kind'),
    databaseName: text(database, 'name'),
    users: number(database, 'users'),
    logKind: text(log, 'kind'),
    source: text(log, 'source'),
    sequence: number(log, 'sequence'),
    pending: number(log, 'pending'),
    gatewayCommand: text(value, 'gatewayCommand'),
  };
}

function member(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}

function text(value: unknown, name: string): string {
  const found = member(value, name);
  if (typeof found === 'string') return found;
  throw new TypeError(`the status lacks the text "${name}"`);
}

function number(value: unknown, name: string): number {
  const found = member(value, name);
  if (typeof found === 'number') return found;
  throw new TypeError(`the status lacks the number "${name}"`);
}
