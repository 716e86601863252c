import { LAST_TOPIC } from './names.js';

/** The issuer of all tokens of a run. Its secret is in this file of the run's folder. */
export const ISSUER = 'chaos';
export const SECRET_FILE = 'tokens.txt';

/** How long after its `exp` a token still counts: the default of a gateway. */
export const LEEWAY_MS = 5_000;

/** What a token allows: its claims, and the topics that {@link RULES} grant for them. */
export interface Rights {
  readonly claims: Readonly<Record<string, string>>;
  readonly topics: readonly string[];
}

/** The rules of every route. */
export const RULES = [
  { subscribe: '#', if: { role: 'auditor' } },
  { subscribe: '{area}.#' },
  { subscribe: 'account.{account}.#' },
  { subscribe: LAST_TOPIC },
];

export const RIGHTS = {
  all: { claims: { role: 'auditor' }, topics: ['#'] },
  rare: { claims: { area: 'rare' }, topics: ['rare.#', LAST_TOPIC] },
  orders: { claims: { area: 'order' }, topics: ['order.#', LAST_TOPIC] },
  account: { claims: { account: '007' }, topics: ['account.007.#', LAST_TOPIC] },
  ordersAndAccount: {
    claims: { area: 'order', account: '001' },
    topics: ['order.#', 'account.001.#', LAST_TOPIC],
  },
} as const satisfies Record<string, Rights>;
