import { assertPattern, assertTopic, canonicalPatterns, MAX_PATTERNS } from '@pregon/protocol';
import { TopicIndex } from '../core/topics/topic-index.js';
import { ExpectedNumbers } from './expected-numbers.js';

/** The most topics to publish to, and the most patterns to subscribe to. */
const MAX_TOPICS = 100_000;

const RANGE = /\{(\d{1,9})\.\.(\d{1,9})\}/;

/** Stands for the number of the connection, from 1. */
const OWN_NUMBER = /\{n\}/g;

/** The default topic of a run, and the word that replaces a wildcard. */
const WORD = 'bench';

export interface TopicPlanOptions {
  readonly connections: number;
  /**
   * Patterns. `{1..1000}` stands for each of these numbers, `{n}` for the connection's number. Empty: all that the
   * route carries.
   */
  readonly topics: readonly string[];
  /** How many of the patterns each connection subscribes to, in turn. @default all */
  readonly perConnection?: number | undefined;
  /** The topics to publish to, with the same notation. @default one for each pattern: `user.#` gets `user.bench` */
  readonly publishTopics?: readonly string[] | undefined;
}

/** Assigns patterns to connections and topics to events, and computes which events each connection must get. */
export class TopicPlan {
  /** Event number n goes to the topic with the index n modulo the number of topics. */
  readonly published: readonly string[];
  readonly #patterns: readonly string[];
  readonly #perConnection: number;
  readonly #ownNumbers: boolean;
  readonly #indices: ReadonlyMap<string, readonly number[]>;
  readonly #turns = new Map<string, ExpectedNumbers>();

  /**
   * @throws RangeError if there are too many topics or patterns, or no pattern matches a published topic
   * @throws PregonError TOPIC_INVALID
   */
  constructor({ connections, topics, perConnection, publishTopics }: TopicPlanOptions) {
    this.#patterns = topics.flatMap(expandRanges);
    this.#perConnection = perConnection ?? this.#patterns.length;
    this.#ownNumbers = this.#patterns.some((pattern) => pattern.includes('{n}'));
    checkCounts(this.#patterns.length, this.#perConnection);
    const all = new Set(this.#patterns.flatMap((pattern) => expandOwn(pattern, connections)));
    if (all.size > MAX_TOPICS) throw tooMany(`--topics expands to ${all.size} patterns`);
    all.forEach(assertPattern);
    this.published = publishedTopics(publishTopics, all, connections);
    this.#indices = indicesByPattern(all, this.published);
    if (all.size > 0 && [...this.#indices.values()].every((indices) => indices.length === 0)) {
      const what = this.published.slice(0, 3).join(', ');
      throw new RangeError(
        `no connection would get an event: no pattern of --topics matches the published topics (${what})`,
      );
    }
  }

  /** Whether all connections have the same subscriptions. */
  get isShared(): boolean {
    return this.#perConnection === this.#patterns.length && !this.#ownNumbers;
  }

  /** The patterns of a connection (numbered from 0); undefined if it takes all that the route carries. */
  patternsOf(connection: number): readonly string[] | undefined {
    const count = this.#patterns.length;
    if (count === 0) return undefined;
    if (this.isShared) return this.#patterns;
    const first = connection * this.#perConnection;
    return Array.from({ length: this.#perConnection }, (_, index) =>
      (this.#patterns[(first + index) % count] ?? '').replaceAll(OWN_NUMBER, String(connection + 1)),
    );
  }

  /** The expected numbers of a connection; connections with the same patterns share them. */
  turnsOf(connection: number): ExpectedNumbers {
    const patterns = canonicalPatterns(this.patternsOf(connection) ?? ['#']);
    const key = patterns.join(' ');
    let turns = this.#turns.get(key);
    if (!turns) {
      turns = new ExpectedNumbers(this.published.length, this.#wanted(patterns));
      this.#turns.set(key, turns);
    }
    return turns;
  }

  #wanted(patterns: readonly string[]): number[] {
    if (patterns.includes('#')) return this.published.map((_, index) => index);
    const wanted = new Set(patterns.flatMap((pattern) => this.#indices.get(pattern) ?? []));
    return [...wanted].sort((a, b) => a - b);
  }
}

function checkCounts(patterns: number, perConnection: number): void {
  if (perConnection > patterns) {
    throw new RangeError(`--topics-per-connection=${perConnection} is more than the ${patterns} patterns in --topics`);
  }
  if (perConnection > MAX_PATTERNS) {
    const advice = 'give each connection some of them with --topics-per-connection';
    throw new RangeError(
      `a connection can subscribe to at most ${MAX_PATTERNS} patterns, not ${perConnection}; ${advice}`,
    );
  }
}

function publishedTopics(
  named: readonly string[] | undefined,
  patterns: ReadonlySet<string>,
  connections: number,
): string[] {
  const topics = named
    ? named.flatMap(expandRanges).flatMap((topic) => expandOwn(topic, connections))
    : [...patterns].map(topicFor);
  const each = [...new Set(topics.length === 0 ? [WORD] : topics)];
  if (each.length > MAX_TOPICS) throw tooMany(`there are ${each.length} topics to publish to`);
  each.forEach(assertTopic);
  return each;
}

/** A topic that matches the pattern. */
function topicFor(pattern: string): string {
  const words = pattern.split('.').map((word) => (word === '*' || word === '#' ? WORD : word));
  return words.join('.');
}

/** Expands `user.{1..3}` to three texts; several ranges to all their combinations. */
function expandRanges(text: string): string[] {
  const match = RANGE.exec(text);
  if (!match) return [text];
  const [range, first = '', last = ''] = match;
  const [from, to] = [Number(first), Number(last)];
  if (to < from || to - from >= MAX_TOPICS)
    throw new RangeError(`${range} is not a range of 1 to ${MAX_TOPICS} numbers`);
  const rest = expandRanges(text.slice(match.index + range.length));
  if (rest.length * (to - from + 1) > MAX_TOPICS) throw tooMany(`"${text}" expands to too many topics`);
  const before = text.slice(0, match.index);
  return Array.from({ length: to - from + 1 }, (_, index) => from + index).flatMap((number) =>
    rest.map((after) => `${before}${number}${after}`),
  );
}

function expandOwn(text: string, connections: number): string[] {
  if (!text.includes('{n}')) return [text];
  return Array.from({ length: connections }, (_, index) => text.replaceAll(OWN_NUMBER, String(index + 1)));
}

function indicesByPattern(patterns: ReadonlySet<string>, topics: readonly string[]): Map<string, number[]> {
  const index = new TopicIndex<string>();
  const indices = new Map<string, number[]>();
  for (const pattern of patterns) {
    index.add(pattern, pattern);
    indices.set(pattern, []);
  }
  for (const [at, topic] of topics.entries()) {
    const found = new Set<string>();
    index.collect(topic, found);
    for (const pattern of found) indices.get(pattern)?.push(at);
  }
  return indices;
}

function tooMany(what: string): RangeError {
  return new RangeError(`${what}; the limit is ${MAX_TOPICS}`);
}
