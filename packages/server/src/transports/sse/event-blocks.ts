import type { Format } from '../../core/ports/delivery.js';

const ID = Buffer.from('id: ');
const DATA = Buffer.from('\ndata: ');
const END = Buffer.from('\n\n');
const FRAMING_BYTES = ID.length + DATA.length + END.length;

/**
 * One `message` event for each event, with its position as the id, so that `Last-Event-ID` resumes after it. The JSON
 * text is compact and has no line breaks, so one `data:` line is enough.
 *
 * @see https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation
 */
export const eventBlocks: Format = {
  size(event) {
    return FRAMING_BYTES + event.position.length + event.size;
  },
  write(event, target, at) {
    let end = at + ID.copy(target, at);
    end += target.write(event.position, end, 'latin1');
    end += DATA.copy(target, end);
    end = event.write(target, end);
    return end + END.copy(target, end);
  },
};
