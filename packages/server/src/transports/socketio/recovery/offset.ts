import { assertPosition } from '@pregon/protocol';

/**
 * What stock clients echo as `offset`: the last argument of the last event that had a text there. An event that comes under two names
 * comes in two packets, and a connection may end between them. So the first of the two carries the position and a mark: of this event, the second
 * packet is still owed.
 */
export interface Offset {
  readonly position: string;
  /** The client has the first packet of the event at `position`, and maybe not the second. */
  readonly isIncomplete: boolean;
}

export const INCOMPLETE_MARK = '~';

/** Undefined where the text is no offset of ours, but some other last argument. */
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
