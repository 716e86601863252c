import { TicketAdmission } from '../../access/tickets/ticket-admission.js';
import { Tickets } from '../../access/tickets/tickets.js';
import type { Log } from '../../core/ports/log.js';
import { systemClock } from '../../core/time/clock.js';
import { deriveKey } from '../../logs/secrets/derive-key.js';

const KEY_BYTES = 32;

/** The tickets of a gateway. Their key comes from the log, which is opened after the admissions are made. */
export class GatewayTickets {
  readonly tickets = new Tickets({ clock: systemClock });
  readonly admission = new TicketAdmission(this.tickets);

  /**
   * Reads the key. A log that replaces another has its own secret, so the key must be read again.
   *
   * @param configured the option `secret` of the gateways, if they have one
   * @throws PregonError LOG_UNAVAILABLE | CONFIG_INVALID | LOG_CLOSED
   */
  async readKey(log: Pick<Log, 'secret'>, configured: string | undefined): Promise<void> {
    this.tickets.useKey(deriveKey(configured ?? (await log.secret()), 'tickets', KEY_BYTES));
  }
}
