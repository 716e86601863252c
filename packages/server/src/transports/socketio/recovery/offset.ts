import { assertPosition } from '@pregon/protocol';

/**
 * The value that stock clients send back as `offset`: the last argument of the last event that ended with a string. An
 * event that is emitted under two names takes two packets, and a connection may end between them. So the first of the
 * two carries the position and a mark, which says that the second packet is still missing.
 */
export interface Offset {
  readonly position: string;
  /** The client has the first packet of the event at `position`, but possibly not the second. */
  readonly isIncomplete: boolean;
}

export const INCOMPLETE_MARK = '~';

/** Returns undefined if the text is some other last argument instead of an offset of ours. */
export function parseOffset(text: string): Offset | undefined {
  const isIncomplete = text.endsWith(INCOMPLETE_MARK);
  const position = isIncomplete ? text.slice(0, -INCOMPLETE_MARK.length) : text;
  try {
    assertPosition(position);
    return { position, isIncomplete };
  } catch {
    return undefined;
  }
}
