import { MAX_TIMER_MS } from './clock.js';
import { httpUrl, webSocketUrl } from './reach/url.js';
import { readStream, type StreamEnd } from './stream/stream-attempt.js';
import type { EventSourceOptions } from './stream/stream-options.js';
import { readStreamOptions, type StreamSettings } from './stream/stream-settings.js';

export type { EventSourceOptions } from './stream/stream-options.js';

/** Tells that the stream has ended. If `readyState` is 2, it does not come back. */
export class StreamErrorEvent extends Event {
  /** Why it ended: the text of the gateway, if it gave one. */
  readonly message: string;
  /** The HTTP status of the gateway: 401 without a valid token, 403 without rights; undefined if there was no answer. */
  readonly status: number | undefined;

  constructor({ message, status }: Pick<StreamEnd, 'message' | 'status'>) {
    super('error');
    this.message = message;
    this.status = status;
  }
}

type Listener<E extends Event> = ((event: E) => void) | null;

/**
 * An event stream with a token in a header, which the browser's `EventSource` cannot send. It is used in the same way,
 * and comes back by itself with a fresh token, after the last event that it got.
 */
export class TokenEventSource extends EventTarget {
  static readonly CONNECTING = 0;
  static readonly OPEN = 1;
  static readonly CLOSED = 2;

  readonly url: string;
  readonly #settings: StreamSettings;
  readonly #closing = new AbortController();
  #readyState: number = TokenEventSource.CONNECTING;
  #lastEventId = '';
  onopen: Listener<Event> = null;
  onmessage: Listener<MessageEvent<string>> = null;
  onerror: Listener<StreamErrorEvent> = null;

  /** Use {@link eventSource}. */
  constructor(url: string | URL, options: EventSourceOptions) {
    super();
    this.url = httpUrl(webSocketUrl(url));
    this.#settings = readStreamOptions(options);
    void this.#run();
  }

  /** 0 while it connects, 1 while it is open, 2 after it was closed or refused. */
  get readyState(): number {
    return this.#readyState;
  }

  /** The position after which the next attempt begins; empty before the first one. */
  get lastEventId(): string {
    return this.#lastEventId;
  }

  close(): void {
    this.#readyState = TokenEventSource.CLOSED;
    this.#closing.abort();
  }

  async #run(): Promise<void> {
    const { backoff } = this.#settings;
    let isSecondRefusal = false;
    while (!this.#isClosed) {
      const end = await this.#attempt();
      if (this.#isClosed) return;
      // The token may have expired on its way: a fresh one gets one more attempt.
      const isFinal = end.status === 401 ? isSecondRefusal : end.isFinal;
      isSecondRefusal = end.status === 401;
      this.#readyState = isFinal ? TokenEventSource.CLOSED : TokenEventSource.CONNECTING;
      this.#tell(new StreamErrorEvent(end), this.onerror);
      if (!isFinal) await this.#pause(Math.min(Math.max(end.retryMs ?? 0, backoff.next()), MAX_TIMER_MS));
    }
  }

  #attempt(): Promise<StreamEnd> {
    return readStream({
      url: this.url,
      lastEventId: this.#lastEventId,
      settings: this.#settings,
      signal: this.#closing.signal,
      onOpen: () => {
        this.#readyState = TokenEventSource.OPEN;
        this.#tell(new Event('open'), this.onopen);
      },
      onBlock: ({ type, data, lastEventId }) => {
        if (this.#isClosed) return;
        this.#settings.backoff.reset();
        // With `closing`, the id says only that a browser shall not come back.
        if (!lastEventId.startsWith('!')) this.#lastEventId = lastEventId;
        if (data === undefined) return;
        const event = new MessageEvent(type, { data, lastEventId, origin: new URL(this.url).origin });
        this.#tell(event, type === 'message' ? this.onmessage : null);
      },
    });
  }

  get #isClosed(): boolean {
    return this.#readyState === TokenEventSource.CLOSED;
  }

  /** An error of a listener is reported like any uncaught one, and does not end the stream. */
  #tell<E extends Event>(event: E, listener: Listener<E>): void {
    if (listener) this.addEventListener(event.type, () => listener.call(this, event), { once: true });
    this.dispatchEvent(event);
  }

  #pause(ms: number): Promise<void> {
    const { signal } = this.#closing;
    return new Promise((resolve) => {
      const cancel = this.#settings.clock.after(ms, end);
      signal.addEventListener('abort', end);
      function end() {
        cancel();
        signal.removeEventListener('abort', end);
        resolve();
      }
    });
  }
}

/**
 * Opens an event stream of a route with a token, which the browser's `EventSource` cannot send.
 *
 * - The token goes into a header, and never into the URL.
 * - After a broken connection, and when the token expires, it connects again with a fresh token, after the last event.
 * - It gives up, with `readyState` 2 and an `error` event that has `status` and `message`, after two tokens in a row
 *   were refused (401), after 403, and after any other answer that another attempt would not change.
 *
 * @param url the http or https URL of a route; in a page it may be relative
 * @throws TypeError | RangeError if the URL or an option is not valid
 * @example
 * const source = eventSource('https://live.example/events?topics=user.%23', { token: () => session.token() });
 * source.onmessage = ({ data }) => show(JSON.parse(data));
 * source.onerror = ({ status }) => {
 *   if (source.readyState === 2 && status === 401) signIn();
 * };
 */
export function eventSource(url: string | URL, options: EventSourceOptions = {}): TokenEventSource {
  return new TokenEventSource(url, options);
}
