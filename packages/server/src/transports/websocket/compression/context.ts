import { WINDOW_BYTES } from './deflate.js';

/**
 * What an inflater holds: the end of all texts that it was sent compressed, as far back as a message may refer. Clients are known to hold
 * the same by this very object, never by its bytes.
 *
 * @see https://www.rfc-editor.org/rfc/rfc7692#section-7.2.1
 */
export class Context {
  readonly text: Uint8Array;
  /** How many clients hold it. */
  holders = 0;
  /** Whether there are clients that take the same and hold another one or none. */
  hasDiverged: boolean;

  /** @param before what was held when the text came */
  constructor(text: Uint8Array, before: Context | undefined) {
    this.text = lastBytes(before?.text ?? new Uint8Array(), text);
    this.hasDiverged = before?.hasDiverged ?? false;
  }
}

/** The end of both as one. */
function lastBytes(before: Uint8Array, text: Uint8Array): Uint8Array {
  const added = text.subarray(-WINDOW_BYTES);
  const both = new Uint8Array(Math.min(WINDOW_BYTES, before.length + added.length));
  const start = both.length - added.length;
  both.set(before.subarray(before.length - start));
  both.set(added, start);
  return both;
}
