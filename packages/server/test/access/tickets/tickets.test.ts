import { randomBytes } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { describe, expect, it } from 'vitest';
import { TicketAdmission } from '../../../src/access/tickets/ticket-admission.js';
import { NO_TICKET, TICKET_REFUSED } from '../../../src/access/tickets/ticket-refusals.js';
import { Tickets } from '../../../src/access/tickets/tickets.js';
import { UsedTickets } from '../../../src/access/tickets/used-tickets.js';
import { parseDecision } from '../../../src/core/admission/decision.js';
import type { Identity } from '../../../src/core/ports/admission.js';
import { describeAdmission } from '../../../src/testing.js';

const KEY = randomBytes(32);
const PAGE = 'https://shop.example';
const NOW = Date.UTC(2030, 0, 1);

const ADA: Identity = {
  iss: 'shop',
  sub: 'ada',
  claims: { org: { id: 7 }, role: ['admin'], name: 'Ada \u{1f98a}' },
  expiresAtMs: NOW + 3_600_000,
  issuedAtMs: NOW - 1_000,
  jti: 't-1',
};

class Time {
  nowMs = NOW;
  readonly clock = { now: () => this.nowMs - NOW };
  readonly wallClock = () => this.nowMs;
}

function open(time = new Time(), key: Uint8Array = KEY): Tickets {
  const tickets = new Tickets(time);
  tickets.useKey(key);
  return tickets;
}

function issue(tickets: Tickets, identity = ADA, route = 'events', origin: string | undefined = PAGE): string {
  const issued = tickets.issue(identity, route, origin);
  if ('status' in issued) throw new Error(issued.message);
  return issued.ticket;
}

const fromPage: IncomingHttpHeaders = { origin: PAGE, host: 'live.example' };

describe('[I-9] [H-04] A ticket', () => {
  it('admits once, with the identity of its token', () => {
    const tickets = open();
    const ticket = issue(tickets);
    expect(tickets.redeem(ticket, 'events', fromPage)).toEqual({ identity: ADA });
    expect(tickets.redeem(ticket, 'events', fromPage)).toBe(TICKET_REFUSED.spent);
  });

  it('is not readable, and no two are equal', () => {
    const tickets = open();
    const text = Buffer.from(issue(tickets), 'base64url').toString('latin1');
    for (const word of ['ada', 'shop', 'admin', 'events', 'identity']) expect(text).not.toContain(word);
    expect(issue(tickets)).not.toBe(issue(tickets));
  });

  it('is valid for 30 seconds, and 5 more for clocks that differ', () => {
    const time = new Time();
    const tickets = open(time);
    const [first, second] = [issue(tickets), issue(tickets)];
    time.nowMs += 34_999;
    expect(tickets.redeem(first, 'events', fromPage)).toMatchObject({ identity: { sub: 'ada' } });
    time.nowMs += 1;
    expect(tickets.redeem(second, 'events', fromPage)).toBe(TICKET_REFUSED.expired);
  });

  it('is never valid for longer than used tickets are remembered', () => {
    const ahead = new Time();
    ahead.nowMs += 5_000;
    const [issuing, redeeming] = [open(ahead), new Time()];
    const tickets = open(redeeming);
    const ticket = issue(issuing);
    expect(tickets.redeem(ticket, 'events', fromPage)).toMatchObject({ identity: { sub: 'ada' } });
    for (; redeeming.nowMs < NOW + 45_000; redeeming.nowMs += 500) {
      tickets.redeem(issue(tickets), 'events', fromPage);
      expect(tickets.redeem(ticket, 'events', fromPage)).toMatchObject({ status: 401 });
    }
    ahead.nowMs = redeeming.nowMs + 5_001;
    expect(tickets.redeem(issue(issuing), 'events', fromPage)).toBe(TICKET_REFUSED.invalid);
  });

  it('does not outlive the identity', () => {
    expect(open().issue({ ...ADA, expiresAtMs: NOW + 7_000.9 }, 'events', PAGE)).toMatchObject({ expiresInMs: 7_000 });
    expect(open().issue({ iss: 'shop', sub: 'ada' }, 'events', PAGE)).toMatchObject({ expiresInMs: 30_000 });
  });

  it('is valid with the key and at the route for which it was issued only', () => {
    const ticket = issue(open());
    expect(open().redeem(ticket, 'news', fromPage)).toBe(TICKET_REFUSED.invalid);
    expect(open(new Time(), randomBytes(32)).redeem(ticket, 'events', fromPage)).toBe(TICKET_REFUSED.invalid);
  });

  it.each<[string | undefined, IncomingHttpHeaders, boolean]>([
    [PAGE, { origin: PAGE }, true],
    [PAGE, { origin: 'https://evil.example', host: 'shop.example' }, false],
    [PAGE, { origin: 'null' }, false],
    [PAGE, { host: 'shop.example' }, true],
    [PAGE, { host: 'SHOP.example' }, true],
    [PAGE, { ':authority': 'shop.example' }, true],
    [PAGE, { ':authority': 'live.example' }, false],
    [PAGE, { host: 'live.example' }, false],
    [PAGE, {}, false],
    [undefined, {}, true],
    [undefined, { host: 'live.example' }, true],
    [undefined, { origin: PAGE }, false],
  ])('of the origin %s admits a request with %j: %s', (origin, headers, admits) => {
    const tickets = open();
    const issued = tickets.issue(ADA, 'events', origin);
    const ticket = 'ticket' in issued ? issued.ticket : '';
    expect(tickets.redeem(ticket, 'events', headers)).toMatchObject(admits ? { identity: ADA } : { status: 401 });
    // Only a ticket that admits is spent.
    if (!admits) expect(tickets.redeem(ticket, 'events', origin ? { origin } : {})).toMatchObject({ identity: ADA });
  });

  it.each(['null', 'file://'])('is not issued to pages of the origin %s', (origin) => {
    expect(open().issue(ADA, 'events', origin)).toBe(NO_TICKET.origin);
  });

  it('is not issued if it would be too long for a URL', () => {
    expect(open().issue({ ...ADA, claims: { text: 'x'.repeat(6_200) } }, 'events', PAGE)).toBe(NO_TICKET.size);
    expect(open().issue({ ...ADA, claims: { text: 'x'.repeat(5_500) } }, 'events', PAGE)).toMatchObject({
      expiresInMs: 30_000,
    });
  });

  it('is refused after any change of its text', () => {
    const tickets = open();
    const ticket = issue(tickets);
    const bytes = Buffer.from(ticket, 'base64url');
    for (let at = 0; at < bytes.length; at += 7) {
      const changed = Buffer.from(bytes);
      changed[at] = (changed[at] ?? 0) ^ 1;
      expect(tickets.redeem(changed.toString('base64url'), 'events', fromPage)).toBe(TICKET_REFUSED.invalid);
    }
    for (const text of [`${ticket}=`, `${ticket} `, ` ${ticket}`, ticket.slice(1), ticket.slice(0, -1), `${ticket}A`]) {
      expect(tickets.redeem(text, 'events', fromPage), text).toBe(TICKET_REFUSED.invalid);
    }
    for (const text of ['', 'x', 'A'.repeat(54), 'A'.repeat(8_192), 'A'.repeat(100_000), `${ticket},${ticket}`, '\0']) {
      expect(tickets.redeem(text, 'events', fromPage)).toBe(TICKET_REFUSED.invalid);
    }
    expect(tickets.redeem(ticket, 'events', fromPage)).toEqual({ identity: ADA });
  });

  it('is spent on every gateway that was told', () => {
    const told: string[] = [];
    const [here, there] = [open(), open()];
    let hear: (id: string) => void = () => {};
    here.share(() => (id) => told.push(id));
    there.share((heard) => {
      hear = heard;
      return () => {};
    });
    const ticket = issue(here);
    here.redeem(ticket, 'events', fromPage);
    for (const hostile of ['', 'x', 'y'.repeat(100_000), ...told]) hear(hostile);
    expect(there.redeem(ticket, 'events', fromPage)).toBe(TICKET_REFUSED.spent);
    expect(told).toHaveLength(1);
    expect(ticket).not.toBe(told[0]);
  });
});

describe('[I-7] Used tickets', () => {
  it('are remembered up to a limit, and further ones refused', () => {
    let now = 0;
    const used = new UsedTickets({ clock: { now: () => now }, rememberMs: 40, most: 2 });
    expect(['a', 'b', 'c', 'a'].map((id) => used.use(id))).toEqual(['first', 'first', 'full', 'spent']);
    now = 40;
    expect(['c', 'a', 'b'].map((id) => used.use(id))).toEqual(['first', 'spent', 'spent']);
    now = 80;
    expect(['a', 'c'].map((id) => used.use(id))).toEqual(['first', 'spent']);
    now = 1_000;
    expect(['a', 'c'].map((id) => used.use(id))).toEqual(['first', 'first']);
  });
});

describe('[I-8] The tickets of one user', () => {
  it('are refused beyond a limit, and those of the others are not', () => {
    let now = 0;
    const used = new UsedTickets({ clock: { now: () => now }, rememberMs: 40, mostOfOne: 2 });
    expect(['a', 'b', 'c', 'a'].map((id) => used.use(id, 'ada'))).toEqual(['first', 'first', 'many', 'spent']);
    expect(used.use('d', 'grace')).toBe('first');
    expect(used.use('e')).toBe('first');
    now = 40;
    expect(used.use('c', 'ada')).toBe('first');
  });
});

describe('[I-9] The admission of tickets', () => {
  const request = {
    method: 'GET',
    url: '/events',
    httpVersion: '1.1',
    headers: fromPage,
    remoteAddress: '127.0.0.1',
    isNew: true,
  };
  const entrance = { kind: 'route', name: 'events' };

  it('leaves a ticket alone if a token came first', () => {
    const tickets = open();
    const ticket = issue(tickets);
    const admission = new TicketAdmission(tickets);
    expect(admission.admit({ ...request, entrance, ticket }, { iss: 'shop', sub: 'grace' })).toBeUndefined();
    expect(admission.admit({ ...request, entrance, ticket }, undefined)).toEqual({ identity: ADA });
  });

  it.each([
    { ...request, entrance: { kind: 'socket.io', name: '/socket.io' } },
    { ...request, entrance: { kind: 'namespace', name: 'events' } },
    { ...request, entrance: { kind: 'component', name: 'events' } },
    { ...request, entrance, method: 'POST' },
  ])('refuses a ticket at other places: %j', (elsewhere) => {
    const tickets = open();
    const ticket = issue(tickets);
    expect(new TicketAdmission(tickets).admit({ ...elsewhere, ticket }, undefined)).toBe(TICKET_REFUSED.place);
  });

  it('has refusals that a gateway can send, without a character that RFC 6750 forbids', () => {
    for (const refusal of Object.values(TICKET_REFUSED)) {
      expect(parseDecision(refusal)).toEqual(refusal);
      expect(refusal.message).toMatch(/^[\x20-\x21\x23-\x5b\x5d-\x7e]+$/);
    }
  });
});

describeAdmission(
  { describe, it },
  {
    name: 'tickets',
    admission: () => new TicketAdmission(open()),
    admitted: [{ request: {} }],
    refused: [
      { request: { ticket: '' }, status: 401 },
      { request: { ticket: 'nonsense' }, status: 401 },
    ],
  },
);
