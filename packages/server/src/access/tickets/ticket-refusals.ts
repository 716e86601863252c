import { CLOSE_CODES } from '@pregon/protocol';
import type { Refusal } from '../../core/ports/admission.js';

function refused(message: string, remedy: string): Refusal {
  return Object.freeze({
    status: 401,
    reason: 'invalid_ticket',
    message,
    remedy,
    headers: Object.freeze({ 'WWW-Authenticate': `Bearer error="invalid_token", error_description="${message}"` }),
    close: CLOSE_CODES.UNAUTHORIZED,
  });
}

/** After each of these the client gets a new ticket and connects again. So they are not logged. */
function outdated(message: string): Refusal {
  const { reason, remedy, ...refusal } = refused(message, '');
  return Object.freeze({ ...refusal, close: CLOSE_CODES.TOKEN_EXPIRED });
}

/** Every refusal of a ticket, by what is wrong. Nothing of the ticket is in the texts. */
export const TICKET_REFUSED = Object.freeze({
  invalid: refused(
    'the ticket is not valid here',
    'the client sends something else than a ticket of this route and of its own origin; behind a proxy, see that Host and Origin are passed on',
  ),
  place: refused(
    'a ticket admits to WebSocket and event streams of a route only',
    'the client sends a ticket where it must send a token: to Socket.IO as auth.token, else as Authorization: Bearer',
  ),
  expired: outdated('the ticket has expired'),
  spent: outdated('the ticket was used before'),
  many: Object.freeze({
    status: 429,
    reason: 'tickets',
    message: 'this identity has used too many tickets; try again later',
    remedy: 'one identity used more than 1,000 tickets within 40 seconds; let programs send tokens instead',
    headers: Object.freeze({ 'Retry-After': '40' }),
    close: CLOSE_CODES.RATE_LIMITED,
  }),
  full: Object.freeze({
    status: 503,
    reason: 'tickets',
    message: 'too many tickets were used; try again later',
    remedy: 'more than 100,000 tickets were used within 40 seconds; let programs send tokens instead',
    headers: Object.freeze({ 'Retry-After': '10' }),
    close: CLOSE_CODES.INTERNAL_ERROR,
  }),
} as const satisfies Record<string, Refusal>);

/** The refusals of requests for a ticket. */
export const NO_TICKET = Object.freeze({
  anonymous: Object.freeze({
    status: 401,
    message: 'send the token for which you want a ticket',
    headers: Object.freeze({ 'WWW-Authenticate': 'Bearer' }),
  }),
  origin: Object.freeze({
    status: 403,
    reason: 'origin',
    message: 'pages without an origin of their own get no ticket',
    remedy: 'serve the page by HTTP: sandboxed frames of any site share its origin',
  }),
  size: Object.freeze({
    status: 403,
    reason: 'tickets',
    message: 'the claims of this identity are too large for a ticket',
    remedy: 'a ticket has 8,192 characters at most: let the issuer leave out claims that no rule and no handler needs',
  }),
} as const satisfies Record<string, Refusal>);
