import type { RouteOptions } from 'pregon';
import { ISSUER } from '../tokens.js';
import type { Credential, Known } from './credentials.js';

/** What a client may do on a route, in the simplest words: it shares no code with the gateway. */
export interface Granted {
  /** The beginnings of the topics that it may read. */
  readonly topics: readonly string[];
  /** The messages that it may send. */
  readonly send: readonly string[];
}

/** Why a client does not come in. */
export type Reason = 'missing' | 'invalid' | 'expired' | 'forbidden';

export interface Rule {
  readonly options: Pick<RouteOptions, 'allow' | 'access'>;
  /** What the rule grants to a client that brings a good token, or none. */
  grants(client: Known | undefined): Granted | 'missing' | 'forbidden';
}

/** The topics of one round of events. */
export const TOPICS = ['public.1', 'user.ada.1', 'secret', 'user.grace.1', 'user.adam.1', 'org.7.1', 'org.8.1', 'user'];

/** The messages that each route handles. */
export const MESSAGES = ['bid', 'kick'];

const nothing: Granted = { topics: [], send: [] };
const reading = (...topics: string[]): Granted => ({ ...nothing, topics });
const isOfShop = (client: Known | undefined) => client?.iss === ISSUER;

/** With `{sub}` in a rule that applies, a subject that cannot be a word of a topic is refused. */
const ownTopics = ({ sub, isWord }: Known) => (isWord !== false ? reading(`user.${sub}.`) : ('forbidden' as const));

export const RULES: Readonly<Record<string, Rule>> = {
  anyone: {
    options: { allow: [{ subscribe: 'public.#', who: 'anyone' }] },
    grants: () => reading('public.'),
  },
  claim: {
    options: { allow: [{ subscribe: 'user.{sub}.#', issuer: ISSUER }] },
    grants: (client) => (!client ? 'missing' : isOfShop(client) ? ownTopics(client) : 'forbidden'),
  },
  'anyone-or-claim': {
    options: {
      allow: [
        { subscribe: 'public.#', who: 'anyone' },
        { subscribe: 'user.{sub}.#', issuer: ISSUER },
      ],
    },
    grants(client) {
      const own = client && isOfShop(client) ? ownTopics(client) : nothing;
      return own === 'forbidden' ? own : reading('public.', ...own.topics);
    },
  },
  if: {
    options: { allow: [{ subscribe: 'org.{org.id}.#', issuer: ISSUER, if: { role: ['admin', 'owner'] } }] },
    grants(client) {
      if (!client) return 'missing';
      return isOfShop(client) && client.role === 'admin' ? reading('org.7.') : 'forbidden';
    },
  },
  everything: {
    options: { allow: [{ subscribe: '#', issuer: ISSUER, if: { role: 'admin' } }] },
    grants(client) {
      if (!client) return 'missing';
      return isOfShop(client) && client.role === 'admin' ? reading('') : 'forbidden';
    },
  },
  'send-only': {
    options: { allow: [{ send: 'bid' }] },
    grants: (client) => (client ? { topics: [], send: ['bid'] } : 'missing'),
  },
  none: {
    options: {},
    grants: (client) => (client ? 'forbidden' : 'missing'),
  },
  public: {
    options: { access: 'public' },
    grants: () => ({ topics: [''], send: MESSAGES }),
  },
};

/** What a client with this credential may do on the route of a rule, or why it does not come in. */
export function answerOf({ is }: Credential, rule: Rule): Granted | Reason {
  if (is === 'invalid' || is === 'expired') return is;
  return rule.grants(is === 'nobody' ? undefined : is);
}

export function visible(topics: readonly string[], { topics: beginnings }: Granted): string[] {
  return topics.filter((topic) => beginnings.some((beginning) => topic.startsWith(beginning)));
}

/** The access of an entrance that is not a route; `closed` for one that is not configured. */
export const ACCESS = ['closed', 'public', 'authenticated', 'application'] as const;

export function answerAt({ is }: Credential, access: (typeof ACCESS)[number]): 'admitted' | Reason {
  if (is === 'invalid' || is === 'expired') return is;
  if (access === 'public' || access === 'application') return 'admitted';
  if (is === 'nobody') return 'missing';
  return access === 'authenticated' ? 'admitted' : 'forbidden';
}
