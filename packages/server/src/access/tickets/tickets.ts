import { hash } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { isIdentity } from '../../core/admission/decision.js';
import type { Decision, Identity, Refusal } from '../../core/ports/admission.js';
import type { Clock } from '../../core/time/clock.js';
import { hostOf } from '../hosts.js';
import { isNamelessOrigin } from '../origins.js';
import { jsonMembers } from '../tokens/json-members.js';
import { TicketCipher } from './ticket-cipher.js';
import { NO_TICKET, TICKET_REFUSED } from './ticket-refusals.js';
import { UsedTickets } from './used-tickets.js';

/** How long a ticket may be used, in milliseconds. */
export const TICKET_LIFETIME_MS = 30_000;

/** How far the clocks of two gateways may differ, in milliseconds. */
const LEEWAY_MS = 5_000;

/** The most characters of a ticket, as of a token: it must fit into a URL. */
const MOST_TICKET_CHARACTERS = 8_192;

/** A ticket that was issued. */
export interface Ticket {
  readonly ticket: string;
  readonly expiresInMs: number;
}

export interface TicketsOptions {
  readonly clock: Pick<Clock, 'now'>;
  /** The time of day, in milliseconds since 1970-01-01 UTC. @default Date.now */
  readonly wallClock?: () => number;
}

/**
 * Issues and redeems tickets: what a page puts into a URL instead of its token, which must not be there. A ticket holds
 * the identity, encrypted. It is bound to a route and to the origin of the page, and is valid for 30 seconds, once.
 */
export class Tickets {
  readonly #wallClock: () => number;
  readonly #used: UsedTickets;
  #cipher: TicketCipher | undefined;
  #tellOthers: (id: string) => void = () => {};

  constructor({ clock, wallClock = Date.now }: TicketsOptions) {
    this.#wallClock = wallClock;
    // A ticket of a gateway whose clock is ahead is valid for longer.
    this.#used = new UsedTickets({ clock, rememberMs: TICKET_LIFETIME_MS + 2 * LEEWAY_MS });
  }

  /**
   * Sets the key, before the first ticket and whenever the log was replaced. Tickets of a former key are not valid.
   *
   * @param key 32 secret bytes that all gateways on the log share
   */
  useKey(key: Uint8Array): void {
    this.#cipher = new TicketCipher(key);
  }

  /**
   * Connects the gateways on a log, so that a ticket is valid once on all of them.
   *
   * @param open called with the function that hears of tickets; returns the function that tells of them
   */
  share(open: (hear: (id: string) => void) => (id: string) => void): void {
    this.#tellOthers = open((id) => this.#used.usedElsewhere(id));
  }

  /** @param origin the origin of the page; undefined for a program */
  issue(identity: Identity, route: string, origin: string | undefined): Ticket | Refusal {
    // Bound to such an origin, it would be bound to nothing.
    if (origin !== undefined && isNamelessOrigin(origin)) return NO_TICKET.origin;
    const now = this.#wallClock();
    const expiresAtMs = Math.min(now + TICKET_LIFETIME_MS, identity.expiresAtMs ?? Number.POSITIVE_INFINITY);
    const content = JSON.stringify({ expiresAtMs, origin, identity });
    const ticket = this.#cipher?.seal(content, route);
    if (ticket === undefined) throw new TypeError('tickets have no key yet');
    if (ticket.length > MOST_TICKET_CHARACTERS) return NO_TICKET.size;
    return { ticket, expiresInMs: Math.max(0, Math.floor(expiresAtMs - now)) };
  }

  /** Decides about a client with a ticket. A ticket that admits its client is spent. */
  redeem(ticket: string, route: string, headers: Readonly<IncomingHttpHeaders>): Decision {
    if (ticket.length > MOST_TICKET_CHARACTERS) return TICKET_REFUSED.invalid;
    const opened = this.#cipher?.open(ticket, route);
    const content = opened && contentOf(opened.content);
    if (!content || !isFrom(content.origin, headers)) return TICKET_REFUSED.invalid;
    const leftMs = content.expiresAtMs - this.#wallClock();
    if (leftMs <= -LEEWAY_MS) return TICKET_REFUSED.expired;
    // Used tickets are forgotten before this one would expire, so it could be used twice.
    if (leftMs > TICKET_LIFETIME_MS + LEEWAY_MS) return TICKET_REFUSED.invalid;
    const use = this.#used.use(opened.id, ownerOf(content.identity));
    if (use !== 'first') return TICKET_REFUSED[use];
    this.#tellOthers(opened.id);
    return { identity: content.identity };
  }
}

/** A short text in place of the names, which can be long. */
function ownerOf({ iss, sub }: Identity): string {
  return hash('sha256', JSON.stringify([iss, sub]), 'base64url');
}

interface Content {
  readonly expiresAtMs: number;
  readonly origin: string | undefined;
  readonly identity: Identity;
}

/** Only gateways can make the content, but one of another release may have made it. */
function contentOf(text: string): Content | undefined {
  const { expiresAtMs, origin, identity } = jsonMembers(Buffer.from(text)) ?? {};
  if (typeof expiresAtMs !== 'number' || (origin !== undefined && typeof origin !== 'string')) return undefined;
  return isIdentity(identity) ? { expiresAtMs, origin, identity } : undefined;
}

/**
 * Browsers name the origin in each WebSocket handshake and each request to another origin. A plain GET of a page's own
 * origin has none: then the host is that of the page.
 */
function isFrom(origin: string | undefined, headers: Readonly<IncomingHttpHeaders>): boolean {
  if (headers.origin !== undefined || origin === undefined) return headers.origin === origin;
  const host = hostOf(headers);
  return host !== undefined && URL.canParse(origin) && new URL(origin).host === host.toLowerCase();
}
