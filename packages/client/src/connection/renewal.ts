import { PregonError } from '@pregon/protocol';
import { Backoff } from '../backoff.js';
import type { Settings } from '../options.js';

export interface RenewalHooks {
  /** Shows the gateway a new token. */
  show(): Promise<void>;
  failed(error: PregonError): void;
}

/** Renews the token of a connection before it expires. */
export class Renewal {
  readonly #settings: Settings;
  readonly #hooks: RenewalHooks;
  readonly #backoff: Backoff;
  /** Increases with each start and stop, so that a late answer to an earlier attempt is ignored. */
  #attempt = 0;
  #cancel = () => {};

  constructor(settings: Settings, hooks: RenewalHooks) {
    this.#settings = settings;
    this.#hooks = hooks;
    this.#backoff = new Backoff(settings.reconnect, settings.random);
  }

  /**
   * Asks the application for a token.
   *
   * @throws PregonError TIMEOUT | HANDLER_FAILED
   */
  async ask(): Promise<string | null> {
    const { clock, connectTimeoutMs, token } = this.#settings;
    return new Promise((resolve, reject) => {
      const cancel = clock.after(connectTimeoutMs, () =>
        reject(new PregonError('TIMEOUT', `no token within ${connectTimeoutMs} ms`)),
      );
      new Promise<Awaited<ReturnType<NonNullable<typeof token>>>>((asked) => asked(token?.()))
        .then((shown) => resolve(shown ?? null))
        .catch((cause: unknown) => reject(new PregonError('HANDLER_FAILED', 'the token function failed', { cause })))
        .finally(cancel);
    });
  }

  /** The token expires soon: shows a new one, and tries again with backoff until the connection ends. */
  start(): void {
    this.stop();
    if (!this.#settings.token) return;
    const attempt = this.#attempt;
    this.#hooks.show().then(
      () => this.#backoff.reset(),
      (error: unknown) => {
        if (attempt !== this.#attempt || !(error instanceof PregonError)) return;
        this.#hooks.failed(error);
        const delayMs = Math.max(error.retryAfterMs ?? 0, this.#backoff.next());
        this.#cancel = this.#settings.clock.after(delayMs, () => this.start());
      },
    );
  }

  stop(): void {
    this.#attempt++;
    this.#cancel();
  }
}
