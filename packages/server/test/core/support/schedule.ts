import { CLOSE_CODES, matchesTopic, PregonError, type PregonEvent, type RequestId } from '@pregon/protocol';
import fc from 'fast-check';
import { type Call, ControlledLog, type Gate } from './controlled-log.js';
import { eventLoopTurn, FakeClock } from './fake-clock.js';
import { FakeLink } from './fake-link.js';
import { distribute, Reader } from './reader.js';
import { type Client, event, Square } from './square.js';
import { type Fact, Truth } from './truth.js';

export const TOPICS = ['a', 'a.b', 'a.c', 'a.b.c', 'd.b', 'd'];
const PATTERNS = ['#', 'a', 'a.#', '*.b', 'a.*', '#.c', 'a.b.#', 'd'];
const EXCHANGES = ['one', 'two'];
const SLOW: readonly Call[] = ['read', 'check', 'floor'];

/** A step of a schedule. Numbers select among the objects that exist at that moment. */
export type Step =
  | { readonly kind: 'append'; readonly events: readonly { topic: number; exchange: number; bytes: number }[] }
  | { readonly kind: 'turn' | 'eventLoop' | 'trim' | 'replace' | 'failRead' }
  | { readonly kind: 'tick' | 'answer' | 'unsubscribe' | 'resume' | 'heartbeat' | 'drain'; readonly pick: number }
  | { readonly kind: 'read'; readonly pick: number; readonly bytes: number }
  | { readonly kind: 'subscribe'; readonly pick: number; readonly patterns: readonly number[]; readonly since: number };

const pick = fc.nat(11);

const steps = {
  append: fc.record({
    kind: fc.constant('append' as const),
    events: fc.array(
      fc.record({ topic: pick, exchange: fc.nat(1), bytes: fc.constantFrom(0, 0, 0, 40, 900, 40_000) }),
      {
        minLength: 1,
        maxLength: 6,
      },
    ),
  }),
  plain: fc.record({ kind: fc.constantFrom('turn' as const, 'eventLoop' as const) }),
  picked: fc.record({
    kind: fc.constantFrom(
      'tick' as const,
      'answer' as const,
      'answer' as const,
      'unsubscribe' as const,
      'resume' as const,
      'heartbeat' as const,
      'drain' as const,
    ),
    pick,
  }),
  read: fc.record({ kind: fc.constant('read' as const), pick, bytes: fc.constantFrom(100, 2_000, 200_000) }),
  subscribe: fc.record({
    kind: fc.constant('subscribe' as const),
    pick,
    patterns: fc.array(fc.nat(PATTERNS.length - 1), { minLength: 1, maxLength: 3 }),
    since: fc.nat(4),
  }),
};

/** Schedules without the steps that make a log drop events, and with them. */
export function schedule(options: { forgetful: boolean }): fc.Arbitrary<Step[]> {
  const forgetting = fc.record({ kind: fc.constantFrom('trim' as const, 'trim' as const, 'replace' as const) });
  const failing = fc.record({ kind: fc.constant('failRead' as const) });
  return fc.array(
    fc.oneof(
      { weight: 6, arbitrary: steps.append },
      { weight: 5, arbitrary: steps.plain },
      { weight: 6, arbitrary: steps.picked },
      { weight: 4, arbitrary: steps.read },
      { weight: 4, arbitrary: steps.subscribe },
      { weight: options.forgetful ? 2 : 0, arbitrary: forgetting },
      { weight: options.forgetful ? 1 : 0, arbitrary: failing },
    ),
    { minLength: 5, maxLength: 80 },
  );
}

export interface WorldOptions {
  readonly historyBytes: number;
  readonly flushIntervalMs: number;
  readonly limits: readonly number[];
  readonly exchange: string | undefined;
  /** The number of events that may wait in a hub. */
  readonly mostEvents: number;
}

interface Guest extends Client {
  readonly square: Square;
  readonly readers: Map<RequestId, Reader>;
}

/** Two gateways on one log, and clients that connect, leave, read slowly and return; each frame is checked. */
export class World {
  readonly truth = new Truth();
  readonly log: ControlledLog;
  readonly clock: FakeClock;
  readonly #options: WorldOptions;
  readonly #squares: Square[];
  readonly #gates: Gate[];
  #guests: Guest[] = [];
  readonly #topics = new Map<RequestId, string[]>();
  #lastId = 0;
  trims = 0;
  replacements = 0;
  failures: unknown[] = [];
  delivered = 0;
  overfilled = 0;

  static async open(options: WorldOptions): Promise<World> {
    const log = new ControlledLog();
    const clock = new FakeClock();
    const { historyBytes, flushIntervalMs, exchange, mostEvents } = options;
    const route = { exchanges: exchange === undefined ? undefined : [exchange] };
    const squares: Square[] = [];
    const arrivals = { mostEvents };
    for (let i = 0; i < 2; i++) {
      squares.push(await Square.open({ log, clock, historyBytes, flushIntervalMs, arrivals, route }));
    }
    const world = new World(options, log, clock, squares);
    world.truth.begin(await log.inner.floor());
    for (const limit of options.limits) world.#enter(limit, squares[world.#guests.length % 2], new Map());
    return world;
  }

  private constructor(options: WorldOptions, log: ControlledLog, clock: FakeClock, squares: Square[]) {
    this.#options = options;
    this.log = log;
    this.clock = clock;
    this.#squares = squares;
    this.#gates = SLOW.flatMap((call) => [log.hold(call, 'before'), log.hold(call, 'after')]);
  }

  get resets(): string[] {
    return this.#guests.flatMap(({ readers }) => [...readers.values()].flatMap(({ resets }) => resets));
  }

  async run(step: Step): Promise<void> {
    switch (step.kind) {
      case 'append':
        return this.#append(step.events.map(toEvent));
      case 'turn':
        return this.clock.turn();
      case 'eventLoop':
        return eventLoopTurn();
      case 'tick':
        return this.clock.advance(step.pick);
      case 'answer':
        return this.#gates[step.pick % this.#gates.length]?.letOne();
      case 'read':
        return this.#read(this.#guest(step.pick), step.bytes);
      case 'subscribe':
        return this.#subscribe(this.#guest(step.pick), step.patterns, step.since);
      case 'unsubscribe':
        return this.#unsubscribe(this.#guest(step.pick));
      case 'resume':
        return this.#comeBack(this.#guest(step.pick));
      case 'heartbeat':
        return this.#guest(step.pick).connection.heartbeat(this.clock.now(), 1_000_000, 1_000_000);
      case 'drain':
        return this.#guest(step.pick).connection.drained();
      case 'trim':
        this.trims += 1;
        return void (await this.log.inner.trim({ maxCount: 3 }));
      case 'replace':
        this.replacements += 1;
        this.log.inner.replace();
        return this.truth.begin(await this.log.inner.floor());
      case 'failRead':
        return this.log.fail('read', new PregonError('LOG_UNAVAILABLE', 'the disk is away'));
    }
  }

  /** Lets all pending work finish. */
  async finish(): Promise<void> {
    for (const gate of this.#gates) gate.open();
    for (let quiet = 0; quiet < 3; quiet++) {
      await this.clock.settle();
      this.clock.advance(this.#options.flushIntervalMs);
      for (const guest of this.#guests) {
        if (guest.link.closedWith) {
          this.#comeBack(guest);
          quiet = 0;
        } else if (guest.link.bufferedBytes > 0) {
          this.#read(guest, guest.link.bufferedBytes);
          quiet = 0;
        }
      }
    }
    for (const { link } of this.#guests) this.#count(link);
  }

  /** What is wrong once no work is pending. */
  get complaints(): string[] {
    return this.#guests.flatMap(({ readers }) =>
      [...readers].flatMap(([id, reader]) => {
        if (!reader.isServed) return [`${id} is not served`];
        if (!reader.isInThePresent) return [`${id} was not told of the replaced log`];
        return reader.missing ? [`${id} never got ${reader.missing.id}`] : [];
      }),
    );
  }

  async close(): Promise<void> {
    for (const { hub } of this.#squares) await hub.close();
    await this.log.close();
  }

  async #append(events: PregonEvent[]): Promise<void> {
    this.truth.appended(events, await this.log.append(events));
  }

  #guest(index: number): Guest {
    const guest = this.#guests[index % this.#guests.length];
    if (!guest) throw new Error('there is always a guest');
    return guest;
  }

  #enter(limit: number, square: Square | undefined, readers: Map<RequestId, Reader>): Guest {
    if (!square) throw new Error('there are two squares');
    const link = new FakeLink(this.#guests.length % 2 === 0 ? 'pregon.v1' : 'sse');
    link.limit = limit;
    link.onReceived = (received) => distributeOrTell(readers, received, this.failures);
    const guest = { ...square.connect(link), square, readers };
    this.#guests.push(guest);
    return guest;
  }

  #read(guest: Guest, bytes: number): void {
    if (guest.link.read(bytes)) guest.connection.drained();
  }

  #subscribe({ connection, readers, link }: Guest, patterns: readonly number[], since: number): void {
    if (link.closedWith) return;
    const topics = patterns.map((index) => PATTERNS[index] ?? '#');
    this.#lastId += 1;
    const id = this.#lastId;
    const from = this.#since(since);
    readers.set(id, new Reader(this.truth, this.#wanted(topics), from));
    connection.subscribe(id, topics, from);
    this.#topics.set(id, topics);
  }

  #since(choice: number): string | undefined {
    if (choice === 0) return 'first';
    if (choice === 1) return undefined;
    const { facts } = this.truth.era;
    return facts[Math.floor((facts.length * (choice - 2)) / 3)]?.position;
  }

  #wanted(topics: readonly string[]): (fact: Fact) => boolean {
    const { exchange } = this.#options;
    return (fact) =>
      (exchange === undefined || fact.exchange === exchange) &&
      topics.some((pattern) => matchesTopic(pattern, fact.topic));
  }

  #unsubscribe({ connection, readers, link }: Guest): void {
    const [id] = readers.keys();
    if (id === undefined || link.closedWith) return;
    connection.unsubscribe(id);
    readers.delete(id);
  }

  /** Breaks the connection; the client connects to the other gateway, with the positions that it holds. */
  #comeBack(guest: Guest): void {
    const code = guest.link.closedWith;
    if (code && code !== CLOSE_CODES.LOG_UNAVAILABLE) this.failures.push(new Error(`closed with ${code.code}`));
    guest.connection.closed(1006, '', 0);
    this.#count(guest.link);
    this.#guests = this.#guests.filter((other) => other !== guest);
    const other = this.#squares[guest.square === this.#squares[0] ? 1 : 0];
    const next = this.#enter(guest.link.limit, other, new Map());
    for (const [id, reader] of guest.readers) {
      const since = reader.position;
      next.readers.set(id, new Reader(this.truth, reader.wanted, since));
      next.connection.subscribe(id, this.#topics.get(id), since);
    }
  }

  #count(link: FakeLink): void {
    this.delivered += link.delivered.length;
    this.overfilled += link.overfilled;
  }
}

function distributeOrTell(
  readers: ReadonlyMap<RequestId, Reader>,
  received: Parameters<typeof distribute>[1],
  failures: unknown[],
): void {
  try {
    distribute(readers, received);
  } catch (error) {
    // If this were thrown into the core, the core would treat it as a broken link.
    failures.push(error);
  }
}

function toEvent({ topic, exchange, bytes }: { topic: number; exchange: number; bytes: number }): PregonEvent {
  return event(TOPICS[topic % TOPICS.length] ?? 'a', {
    exchange: EXCHANGES[exchange] ?? 'one',
    data: 'x'.repeat(bytes),
  });
}
