import type { Admission, AdmissionRequest, Decision, Identity } from '../core/ports/admission.js';
import type { Rights } from '../core/ports/rights.js';
import { NO_TOKEN, NOTHING_GRANTED } from './rules/refusals.js';
import type { RouteRules } from './rules/route-rules.js';

const NOTHING: Rights = Object.freeze({
  subscribe: Object.freeze([]),
  send: new Set<string>(),
  broadcast: false,
  publish: Object.freeze([]),
  isService: false,
  key: '',
});

/**
 * Admits publishers with the rights that the rules of all routes together grant to publish. An event is not published
 * to a route, so that it counts on no route where its rule stands.
 */
export class PublishRules implements Admission {
  readonly name = 'publish rules';
  readonly #rules: readonly RouteRules[];

  /** @param rules of all routes */
  constructor(rules: Iterable<RouteRules>) {
    this.#rules = [...rules].filter(({ publishes }) => publishes);
  }

  /** Whether any rule grants to publish. */
  get isEmpty(): boolean {
    return this.#rules.length === 0;
  }

  admit(_: Pick<AdmissionRequest, never>, identity: Identity | undefined): Decision {
    const granted = this.#rules.flatMap((rules) => {
      const rights = rules.rightsOf(identity);
      return 'status' in rights ? [] : rights.publish;
    });
    if (granted.length === 0) return identity ? NOTHING_GRANTED : NO_TOKEN;
    return { rights: { ...NOTHING, publish: granted } };
  }
}
