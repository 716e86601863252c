import type { Format } from '../../core/format.js';
import type { LoggedEvent } from '../../core/logged-event.js';
import { headerSize, writeTextHeader } from '../websocket-frame.js';

/** One text frame for each event. */
export const eventFrames: Format = {
  size(event: LoggedEvent): number {
    return headerSize(event.size) + event.size;
  },
  write(event: LoggedEvent, target: Buffer, at: number): number {
    return event.write(target, writeTextHeader(target, at, event.size));
  },
};
