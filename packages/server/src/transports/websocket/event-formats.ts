import type { DeliveredEvent, Format } from '../../core/ports/delivery.js';
import { headerSize, writeTextHeader } from '../sockets/websocket-frame.js';
import type { ContinuedEvents } from './compression/continued-events.js';

/** The formats in which a connection can get events. */
export interface EventFormats {
  /** One frame for each event, which every client accepts. */
  readonly separate: Format;
  /** For clients that also accept several events in one frame. */
  readonly together: Format;
  /** The same formats with compression that refers to earlier messages, for clients that keep their context. */
  readonly continued?: { readonly separate: ContinuedEvents; readonly together: ContinuedEvents };
}

/** One text frame for each event. */
export const eventFrames: Format = {
  size(event: DeliveredEvent): number {
    return headerSize(event.size) + event.size;
  },
  write(event: DeliveredEvent, target: Buffer, at: number): number {
    return event.write(target, writeTextHeader(target, at, event.size));
  },
};

/** For all connections without compression. Uncompressed, a batch would be no smaller than its events. */
export const PLAIN_FORMATS: EventFormats = { separate: eventFrames, together: eventFrames };
