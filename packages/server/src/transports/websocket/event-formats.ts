import type { DeliveredEvent, Format } from '../../core/ports/delivery.js';
import { headerSize, writeTextHeader } from '../sockets/websocket-frame.js';
import type { ContinuedEvents } from './compression/continued-events.js';

/** The formats in which a connection may get events. */
export interface EventFormats {
  /** One frame for each event: all that every client takes. */
  readonly separate: Format;
  /** For clients that also take several events in one frame. */
  readonly together: Format;
  /** For clients that remember what they were sent before: the same, where it goes on from that. */
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

/** What all connections share that take nothing compressed. Uncompressed, events together would be no smaller. */
export const PLAIN_FORMATS: EventFormats = { separate: eventFrames, together: eventFrames };
