import type { Socket } from 'node:net';
import type { Intake } from '../../core/incoming/intake.js';
import type { Refusal } from '../../core/ports/admission.js';
import { closeReason } from './closing.js';
import { unguard } from './guarded-socket.js';
import type { PacedSocket } from './paced-socket.js';

/** The largest message that is read from a refused client, in bytes. Messages are dropped. */
const MAX_UNREAD_BYTES = 16_384;

/**
 * Closes a WebSocket whose handshake was completed only to tell the client why it is refused. Until it answers the close
 * frame, the client can send frames. They take their turns like those of any other client.
 */
export function closeRefused(
  client: PacedSocket,
  socket: Socket,
  intake: Intake,
  { close, message }: Refusal & Required<Pick<Refusal, 'close'>>,
): void {
  unguard(socket);
  client.on('error', () => client.terminate());
  client.pace(intake, MAX_UNREAD_BYTES);
  client.dismiss(close.code, closeReason(close, message));
}

/** Whether a refusal has a close code. */
export function hasCloseCode(refusal: Refusal): refusal is Refusal & Required<Pick<Refusal, 'close'>> {
  return refusal.close !== undefined;
}
