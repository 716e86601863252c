import { canonicalPatterns, matchesTopic } from '@pregon/protocol';
import type { LogEntry } from '../ports/log-entry.js';
import { costOfPatterns, type PatternCost } from './pattern-cost.js';

/** Selects the events of a subscription. */
export interface Filter {
  /** Canonical AMQP topic patterns. At least one of them must match. */
  readonly topics: readonly string[];
  /**
   * The topic patterns that the route allows: at least one of them must match as well. Undefined if the route allows
   * all topics.
   */
  readonly allowed: readonly string[] | undefined;
  /**
   * The topic patterns that the rights of the connection grant: at least one of them must match as well, whatever the
   * client asked for. Undefined if there are no rules, or if {@link Filter.topics} are these patterns.
   */
  readonly granted: readonly string[] | undefined;
  /** Undefined for all exchanges. */
  readonly exchanges: readonly string[] | undefined;
  /** Undefined for all event types. */
  readonly types: readonly string[] | undefined;
  /** Equal for filters with the same members. */
  readonly key: string;
  /** The cost of matching {@link Filter.topics}. */
  readonly cost: PatternCost;
}

export function createFilter(want: {
  topics?: readonly string[] | undefined;
  allowed?: readonly string[] | undefined;
  granted?: readonly string[] | undefined;
  exchanges?: readonly string[] | undefined;
  types?: readonly string[] | undefined;
}): Filter {
  const topics = canonicalPatterns(want.topics ?? want.granted ?? ['#']);
  const allowed = narrowing(want.allowed);
  const granted = want.topics === undefined ? undefined : narrowing(want.granted);
  const exchanges = want.exchanges && [...new Set(want.exchanges)].sort();
  const types = want.types === undefined || want.types.includes('*') ? undefined : [...new Set(want.types)].sort();
  const key = JSON.stringify([topics, allowed, granted, exchanges, types]);
  return { topics, allowed, granted, exchanges, types, key, cost: costOfPatterns(topics) };
}

/** Whether an event passes a filter, apart from its topics: the topic index has matched those already. */
export function passes(filter: Filter, entry: LogEntry): boolean {
  if (filter.exchanges !== undefined && !filter.exchanges.includes(entry.exchange)) return false;
  if (filter.types !== undefined && !filter.types.includes(entry.type)) return false;
  return matchesAny(filter.allowed, entry.topic) && matchesAny(filter.granted, entry.topic);
}

function matchesAny(patterns: readonly string[] | undefined, topic: string): boolean {
  return patterns === undefined || patterns.some((pattern) => matchesTopic(pattern, topic));
}

/** Undefined if the patterns match every topic. */
function narrowing(patterns: readonly string[] | undefined): readonly string[] | undefined {
  if (patterns === undefined) return undefined;
  const canonical = canonicalPatterns(patterns);
  return canonical[0] === '#' ? undefined : canonical;
}
