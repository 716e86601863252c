import type { Admission, AdmissionRequest, Decision, Identity } from '../../core/ports/admission.js';
import { TICKET_REFUSED } from './ticket-refusals.js';
import type { Tickets } from './tickets.js';

/**
 * Admits a client that brings a ticket instead of a token, with the identity of the token for which the ticket was
 * issued. A ticket that is not valid refuses its client; the client never becomes anonymous.
 */
export class TicketAdmission implements Admission {
  readonly name = 'tickets';
  readonly #tickets: Pick<Tickets, 'redeem'>;

  constructor(tickets: Pick<Tickets, 'redeem'>) {
    this.#tickets = tickets;
  }

  /** @param known the identity of a token, which counts before the ticket: the ticket is then not spent */
  admit({ ticket, entrance, method, headers }: AdmissionRequest, known: Identity | undefined): Decision {
    if (ticket === undefined || known) return undefined;
    if (entrance.kind !== 'route' || method !== 'GET') return TICKET_REFUSED.place;
    return this.#tickets.redeem(ticket, entrance.name, headers);
  }
}
