import { assertPattern, assertTopic, canonicalPatterns, MAX_PATTERNS } from '@pregon/protocol';
import { TopicIndex } from '../core/topics/topic-index.js';
import { ExpectedNumbers } from './expected-numbers.js';

/** The most topics that are published to, and patterns that are handed out. */
const MAX_TOPICS = 100_000;

const RANGE = /\{(\d{1,9})\.\.(\d{1,9})\}/;

/** Stands for the number of the connection, from 1 on. */
const OWN_NUMBER = /\{n\}/g;

/** The topic of a run where nothing says another one, and the word that stands in for a wildcard. */
const WORD = 'bench';

export interface TopicPlanOptions {
  readonly connections: number;
  /** Patterns, in which `{1..1000}` stands for each of these numbers, and `{n}` for the connection's. Empty: all that the route carries. */
  readonly topics: readonly string[];
  /** How many of the patterns each connection subscribes to, the next ones each time. @default all */
  readonly perConnection?: number | undefined;
  /** What is published to, with the same notations. @default one for each pattern: `user.#` gets `user.bench` */
  readonly publishTopics?: readonly string[] | undefined;
}

/** Which connection subscribes to what, what is published where, and what of it each connection is to get. */
export class TopicPlan {
  /** Event number n goes to the topic with the index n modulo their number. */
  readonly published: readonly string[];
  readonly #patterns: readonly string[];
  readonly #perConnection: number;
  readonly #ownNumbers: boolean;
  readonly #indices: ReadonlyMap<string, readonly number[]>;
  readonly #turns = new Map<string, ExpectedNumbers>();

  /**
   * @throws RangeError where there are too many, or none that is published to is subscribed to
   * @throws PregonError TOPIC_INVALID
   */
  constructor({ connections, topics, perConnection, publishTopics }: TopicPlanOptions) {
    this.#patterns = topics.flatMap(expandRanges);
    this.#perConnection = perConnection ?? this.#patterns.length;
    this.#ownNumbers = this.#patterns.some((pattern) => pattern.includes('{n}'));
    checkCounts(this.#patterns.length, this.#perConnection);
    const all = new Set(this.#patterns.flatMap((pattern) => expandOwn(pattern, connections)));
    if (all.size > MAX_TOPICS) throw tooMany(`--topics makes ${all.size} patterns`);
    all.forEach(assertPattern);
    this.published = publishedTopics(publishTopics, all, connections);
    this.#indices = indicesByPattern(all, this.published);
    if (all.size > 0 && [...this.#indices.values()].every((indices) => indices.length === 0)) {
      const what = this.published.slice(0, 3).join(', ');
      throw new RangeError(`no connection would get an event: what is published (${what}) matches nothing of --topics`);
    }
  }

  /** Whether all connections subscribe to the same. */
  get isShared(): boolean {
    return this.#perConnection === this.#patterns.length && !this.#ownNumbers;
  }

  /** The patterns of a connection, counted from 0; undefined where it takes all that the route carries. */
  patternsOf(connection: number): readonly string[] | undefined {
    const count = this.#patterns.length;
    if (count === 0) return undefined;
    if (this.isShared) return this.#patterns;
    const first = connection * this.#perConnection;
    return Array.from({ length: this.#perConnection }, (_, index) =>
      (this.#patterns[(first + index) % count] ?? '').replaceAll(OWN_NUMBER, String(connection + 1)),
    );
  }

  /** Connections with the same patterns share theirs. */
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
    throw new RangeError(`--topics-per-connection=${perConnection} is more than --topics has: ${patterns}`);
  }
  if (perConnection > MAX_PATTERNS) {
    const advice = 'give each connection some of them with --topics-per-connection';
    throw new RangeError(`a connection takes at most ${MAX_PATTERNS} patterns, not ${perConnection}; ${advice}`);
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

/** A topic that the pattern matches. */
function topicFor(pattern: string): string {
  const words = pattern.split('.').map((word) => (word === '*' || word === '#' ? WORD : word));
  return words.join('.');
}

/** `user.{1..3}` stands for three; several ranges for each with each. */
function expandRanges(text: string): string[] {
  const match = RANGE.exec(text);
  if (!match) return [text];
  const [range, first = '', last = ''] = match;
  const [from, to] = [Number(first), Number(last)];
  if (to < from || to - from >= MAX_TOPICS)
    throw new RangeError(`${range} is not a range of 1 to ${MAX_TOPICS} numbers`);
  const rest = expandRanges(text.slice(match.index + range.length));
  if (rest.length * (to - from + 1) > MAX_TOPICS) throw tooMany(`"${text}" makes more topics than that`);
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
  return new RangeError(`${what}; at most ${MAX_TOPICS} are taken`);
}
