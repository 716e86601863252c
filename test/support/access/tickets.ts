/** The page of the tests that gets tickets. */
export const PAGE = 'https://shop.example';

export interface TicketRequest {
  readonly token?: string | undefined;
  /** @default {@link PAGE} */
  readonly origin?: string | undefined;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Asks for a ticket, as a page does. @param url the URL of the route */
export function requestTicket(url: string, { token, headers = {}, ...options }: TicketRequest): Promise<Response> {
  const origin = 'origin' in options ? options.origin : PAGE;
  return fetch(`${url}/tickets`, {
    method: 'POST',
    headers: {
      ...(origin === undefined ? {} : { Origin: origin }),
      ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
      ...headers,
    },
  });
}

/** Gets a ticket. @throws Error if it is refused */
export async function ticketFor(url: string, request: TicketRequest): Promise<string> {
  const response = await requestTicket(url, request);
  const answer: unknown = await response.json();
  const ticket: unknown = Reflect.get(Object(answer), 'ticket');
  if (typeof ticket === 'string') return ticket;
  throw new Error(`no ticket: ${response.status} ${JSON.stringify(answer)}`);
}
