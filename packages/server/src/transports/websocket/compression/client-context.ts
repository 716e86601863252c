import type { EventChunk } from '../../../core/ports/delivery.js';
import type { EventFormats } from '../event-formats.js';
import type { Context } from './context.js';

/** What the inflater of one client holds, as far as it is known: what it was sent last. */
export class ClientContext {
  #context: Context | undefined;

  /**
   * The events of a chunk as this client can read them. Whoever is handed them must write them, and nothing else that is compressed.
   *
   * @param form how the client takes events that come at once
   */
  take(chunk: EventChunk, formats: EventFormats, form: 'separate' | 'together'): Buffer {
    const continuation = formats.continued?.[form].next(chunk, this.#context);
    if (!continuation) this.release();
    else if (continuation.context) this.#hold(continuation.context);
    return continuation?.bytes ?? chunk.bytes(formats[form]);
  }

  /** It holds something that is not known, or nothing is going to be sent to it. */
  release(): void {
    if (this.#context) this.#context.holders -= 1;
    this.#context = undefined;
  }

  #hold(context: Context): void {
    this.release();
    context.holders += 1;
    this.#context = context;
  }
}
