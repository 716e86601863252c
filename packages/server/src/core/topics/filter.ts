import { canonicalPatterns, matchesTopic } from '@pregon/protocol';
import type { LogEntry } from '../ports/log-entry.js';
import { costOfPatterns, type PatternCost } from './pattern-cost.js';

/** Which events a subscription wants. */
export interface Filter {
  /** Canonical AMQP topic patterns; one of them must match. */
  readonly topics: readonly string[];
  /** What the route lets through, where that is narrower than everything; one of them must match too. */
  readonly allowed: readonly string[] | undefined;
  /** Undefined for all. */
  readonly exchanges: readonly string[] | undefined;
  /** Event types; undefined for all. */
  readonly types: readonly string[] | undefined;
  /** Equal for filters that select the same events by the same words. */
  readonly key: string;
  /** What the topics cost. */
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

/** Whether an event passes all of a filter but its topics, which the topic index has matched already. */
export function passes(filter: Filter, entry: LogEntry): boolean {
  if (filter.exchanges !== undefined && !filter.exchanges.includes(entry.exchange)) return false;
  if (filter.types !== undefined && !filter.types.includes(entry.type)) return false;
  return filter.allowed === undefined || filter.allowed.some((pattern) => matchesTopic(pattern, entry.topic));
}
