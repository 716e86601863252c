/** The number of topics, in spreads with more than one. */
const TOPICS = 1_000;

/** The number of topics that a connection subscribes to, in spreads with few topics. */
const TAKEN = 10;

/** Coprime to the number of topics, so that consecutive events are evenly spread over the topics. */
const STRIDE = 389;

const WILDCARD_USERS = 100;
const VERBS = 10;

/**
 * The topics of the events, and the subscriptions of the connections. All processes of a benchmark know it by name. It
 * is computed by arithmetic instead of patterns, so that the expectations do not depend on the code that is measured.
 */
export interface Spread {
  /** After this many events, the topics repeat in the same order. */
  readonly period: number;
  /** The topic of the event with this number. */
  topicOf(number: number): string;
  /** The patterns that a connection subscribes to; empty for everything. */
  patternsOf(connection: number): readonly string[];
  /** Whether a connection has subscribed to the event with this number. */
  wants(connection: number, number: number): boolean;
}

const spreads: ReadonlyMap<string, Spread> = new Map<string, Spread>([
  ['one', { period: 1, topicOf: () => priceTopic(1), patternsOf: () => [], wants: () => true }],
  ['the same ten', fewTopics(() => Array.from({ length: TAKEN }, (_, index) => index * (TOPICS / TAKEN)))],
  ['neighbours', fewTopics((connection) => Array.from({ length: TAKEN }, (_, index) => (connection + index) % TOPICS))],
  ['random', fewTopics(randomTopics)],
  ['one each', fewTopics((connection) => [connection % TOPICS])],
  [
    'wildcards',
    {
      period: TOPICS,
      topicOf: (number) => `user.${userOf(number)}.verb${verbOf(number)}`,
      patternsOf: (connection) => [`user.${wantedUser(connection)}.#`, `user.*.verb${wantedVerb(connection)}`],
      wants: (connection, number) =>
        userOf(number) === wantedUser(connection) || verbOf(number) === wantedVerb(connection),
    },
  ],
]);

/** @throws TypeError if there is no spread with this name */
export function spreadOf(name: string): Spread {
  const spread = spreads.get(name);
  if (!spread) throw new TypeError(`there is no spread "${name}"`);
  return spread;
}

/** How many of `connections` get an event, by the remainder of its number. */
export function audienceSizes({ period, wants }: Spread, connections: number): number[] {
  return Array.from({ length: period }, (_, number) => {
    let size = 0;
    for (let connection = 0; connection < connections; connection++) if (wants(connection, number)) size += 1;
    return size;
  });
}

function fewTopics(topicsOf: (connection: number) => readonly number[]): Spread {
  const known: ReadonlySet<number>[] = [];
  const topics = (connection: number): ReadonlySet<number> => {
    const set = known[connection] ?? new Set(topicsOf(connection));
    known[connection] = set;
    return set;
  };
  return {
    period: TOPICS,
    topicOf: (number) => priceTopic(topicIndex(number)),
    patternsOf: (connection) => [...topics(connection)].map(priceTopic),
    wants: (connection, number) => topics(connection).has(topicIndex(number)),
  };
}

function priceTopic(index: number): string {
  return `price.${index}.set`;
}

function topicIndex(number: number): number {
  return (number * STRIDE) % TOPICS;
}

function userOf(number: number): number {
  return Math.floor(topicIndex(number) / VERBS);
}

function verbOf(number: number): number {
  return topicIndex(number) % VERBS;
}

function wantedUser(connection: number): number {
  return connection % WILDCARD_USERS;
}

function wantedVerb(connection: number): number {
  return Math.floor(connection / WILDCARD_USERS) % VERBS;
}

/** Random topics that are the same in each process and each run. */
function randomTopics(connection: number): readonly number[] {
  const next = random(connection + 1);
  const topics = new Set<number>();
  while (topics.size < TAKEN) topics.add(Math.floor(next() * TOPICS));
  return [...topics];
}

/** Pseudo-random numbers from 0 to 1 (mulberry32). */
function random(seed: number): () => number {
  let state = Math.imul(seed, 0x9e3779b1);
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
