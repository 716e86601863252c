import { createHash } from 'node:crypto';
import { canonicalPatterns } from '@pregon/protocol';
import type { PublishRight, Rights } from '../../core/ports/rights.js';
import type { CompiledRule } from './compiled-rule.js';
import { type Coverage, withoutCovered } from './coverage.js';
import { fillTemplate } from './topic-template.js';

/** A longer key is replaced by its hash. */
const MOST_KEY_CHARACTERS = 200;

/** The name in `send` that stands for all messages. */
const ALL_NAMES = '*';

/** @param words of the variables, by their numbers. Each variable of the rules must have one */
export function makeRights(rules: readonly CompiledRule[], coverage: Coverage, words: readonly unknown[]): Rights {
  const subscribing = rules.filter(({ subscribe }) => subscribe);
  const topics = withoutCovered(subscribing, coverage).flatMap(({ subscribe }) =>
    subscribe ? [fillTemplate(subscribe, words)] : [],
  );
  const rights = {
    // A frozen list is compared faster, see isContained.
    subscribe: Object.freeze(canonicalPatterns(topics)),
    send: namesOf(rules),
    broadcast: rules.some(({ broadcast }) => broadcast),
    publish: Object.freeze(publishRightsOf(rules, words)),
    isService: rules.some(({ isService }) => isService),
  };
  return Object.freeze({ ...rights, key: keyOf(rights) });
}

/** Whether a client with these rights may do anything. To be a service is no right by itself. */
export function grantAnything({ subscribe, send, broadcast, publish }: Rights): boolean {
  return subscribe.length > 0 || send === 'any' || send.size > 0 || broadcast || publish.length > 0;
}

function namesOf(rules: readonly CompiledRule[]): Rights['send'] {
  const names = rules.flatMap(({ send }) => (send === undefined ? [] : [send]));
  return names.includes(ALL_NAMES) ? 'any' : new Set(names.sort());
}

function publishRightsOf(rules: readonly CompiledRule[], words: readonly unknown[]): PublishRight[] {
  const rights = new Map<string, PublishRight>();
  for (const { publish, publishTo } of rules) {
    if (!publish) continue;
    const right = Object.freeze({ pattern: fillTemplate(publish, words), ...publishTo });
    rights.set(keyOfPublish(right), right);
  }
  return [...rights].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, right]) => right);
}

function keyOf({ subscribe, send, broadcast, publish, isService }: Omit<Rights, 'key'>): string {
  const names = send === 'any' ? send : [...send];
  const key = JSON.stringify([subscribe, names, broadcast, publish.map(keyOfPublish), isService]);
  if (key.length <= MOST_KEY_CHARACTERS) return key;
  return createHash('sha256').update(key).digest('base64url');
}

function keyOfPublish({ pattern, exchange, source }: PublishRight): string {
  return JSON.stringify([pattern, exchange ?? null, source ?? null]);
}
