import type { EventChunk } from '../../../core/ports/delivery.js';
import type { EventFormats } from '../event-formats.js';
import type { Context } from './context.js';

/** The known content of one client's inflater: the messages that were sent to it last. */
export class ClientContext {
  #context: Context | undefined;

  /**
   * The events of a chunk in a form that this client can decompress. The caller must write the bytes, and no other
   * compressed message in between.
   *
   * @param form whether the client takes several events in one frame
   */
  take(chunk: EventChunk, formats: EventFormats, form: 'separate' | 'together'): Buffer {
    const continuation = formats.continued?.[form].next(chunk, this.#context);
    if (!continuation) this.release();
    else if (continuation.context) this.#hold(continuation.context);
    return continuation?.bytes ?? chunk.bytes(formats[form]);
  }

  /** The content of the inflater is no longer known, or nothing more will be sent to it. */
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
