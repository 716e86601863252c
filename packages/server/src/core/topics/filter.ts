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
  exchanges?: readonly string[] | undefined;
  types?: readonly string[] | undefined;
}): Filter {
  const topics = canonicalPatterns(want.topics ?? ['#']);
  const allowedPatterns = canonicalPatterns(want.allowed ?? ['#']);
  const allowed = allowedPatterns[0] === '#' ? undefined : allowedPatterns;
  const exchanges = want.exchanges && [...new Set(want.exchanges)].sort();
  const types = want.types === undefined || want.types.includes('*') ? undefined : [...new Set(want.types)].sort();
  const key = JSON.stringify([topics, allowed, exchanges, types]);
  return { topics, allowed, exchanges, types, key, cost: costOfPatterns(topics) };
}

/** Whether an event passes a filter, apart from its topics: the topic index has matched those already. */
export function passes(filter: Filter, entry: LogEntry): boolean {
  if (filter.exchanges !== undefined && !filter.exchanges.includes(entry.exchange)) return false;
  if (filter.types !== undefined && !filter.types.includes(entry.type)) return false;
  return filter.allowed === undefined || filter.allowed.some((pattern) => matchesTopic(pattern, entry.topic));
}
