import { CLOSE_CODES, type RequestId } from '@pregon/protocol';
import type { EventChunk, OutgoingMessage } from '../../core/ports/delivery.js';
import type { ControlFrame } from '../../core/ports/link.js';
import { refusalCode } from '../sockets/closing.js';
import { binaryFrame, textFrame } from '../sockets/websocket-frame.js';
import { WebSocketLink } from './websocket-link.js';

/**
 * Plain WebSocket without subprotocol: sends only events. Anything else, such as an error or a position that cannot be
 * served, closes the connection with a code that says so.
 */
export class PlainLink extends WebSocketLink {
  override get transport(): 'websocket' {
    return 'websocket';
  }

  override events(_id: RequestId, chunk: EventChunk): void {
    this.writeEvents(chunk, 'separate');
  }

  override control(frame: ControlFrame): void {
    if (frame.op === 'reset') this.close(CLOSE_CODES.RESET, `${frame.reason}: connect again without since`);
    else if (frame.op === 'error') this.close(refusalCode(frame.code), frame.message);
  }

  override message(message: OutgoingMessage): boolean {
    if (this.full) return false;
    this.write(message.encoded(encodePlain));
    return true;
  }
}

function encodePlain({ data }: OutgoingMessage): Buffer {
  if (data instanceof Uint8Array) return binaryFrame(data);
  return textFrame(typeof data === 'string' ? data : (JSON.stringify(data) ?? 'null'));
}
