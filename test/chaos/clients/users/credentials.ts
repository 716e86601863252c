import { requestTicket } from '../../../support/access/tickets.js';

/** How a client shows its token in a request: in a header, or in the URL as a ticket that it gets for the token. */
export type Presented = 'header' | 'ticket';

/** A gateway did not give a ticket. */
export class NoTicket extends Error {
  readonly status: number;

  constructor(status: number, text: string) {
    super(`no ticket: ${status} ${text}`);
    this.status = status;
  }
}

export function tokenHeader(token: string): Record<string, string> {
  return { Authorization: `Bearer ${token}` };
}

/**
 * Gets a ticket from the gateway at `route`; any gateway accepts it.
 *
 * @throws NoTicket | TypeError if the gateway cannot be reached
 */
export async function ticketOf(route: URL, token: string): Promise<string> {
  const response = await requestTicket(route.href, { token, origin: undefined });
  const text = await response.text();
  if (!response.ok) throw new NoTicket(response.status, `${text} ${response.headers.get('www-authenticate') ?? ''}`);
  return String(Reflect.get(Object(JSON.parse(text)), 'ticket'));
}
