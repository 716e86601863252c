import { WINDOW_BYTES } from './deflate.js';

/**
 * The content of an inflater: the end of the texts that were sent to it compressed, as far back as a message may refer.
 * Contexts are compared by identity, never by their bytes.
 *
 * @see https://www.rfc-editor.org/rfc/rfc7692#section-7.2.1
 */
export class Context {
  readonly text: Uint8Array;
  /** How many clients hold this context. */
  holders = 0;
  /** Whether other clients take the same chunks but hold another context, or none. */
  hasDiverged: boolean;

  /** @param before the context before the text */
  constructor(text: Uint8Array, before: Context | undefined) {
    this.text = lastBytes(before?.text ?? new Uint8Array(), text);
    this.hasDiverged = before?.hasDiverged ?? false;
  }
}

/** The end of both texts together. */
function lastBytes(before: Uint8Array, text: Uint8Array): Uint8Array {
  const added = text.subarray(-WINDOW_BYTES);
  const both = new Uint8Array(Math.min(WINDOW_BYTES, before.length + added.length));
  const start = both.length - added.length;
  both.set(before.subarray(before.length - start));
  both.set(added, start);
  return both;
}
