import type { CompiledRule, Condition } from './compiled-rule.js';
import type { ClaimValue, Rule } from './rule.js';
import { parseTemplate, type TopicTemplate, type Variables } from './topic-template.js';

type Fields = Readonly<Record<keyof Rule, unknown>>;

/** Each member of a rule once; the type keeps the list complete. */
const NONE: Fields = {
  subscribe: undefined,
  send: undefined,
  publish: undefined,
  exchange: undefined,
  source: undefined,
  who: undefined,
  issuer: undefined,
  if: undefined,
  kind: undefined,
  broadcast: undefined,
};

/**
 * Checks one rule.
 *
 * @param rule of any type, because a configuration or JavaScript can contain anything
 * @throws TypeError that says what is wrong, without the name of the rule
 */
export function compileRule(rule: unknown, issuers: readonly string[], variables: Variables): CompiledRule {
  const fields = fieldsOf(rule);
  const subscribe = templateOf(fields, 'subscribe', variables);
  const publish = templateOf(fields, 'publish', variables);
  const conditions = conditionsOf(fields.if);
  const used = [...new Set([...(subscribe?.variables ?? []), ...(publish?.variables ?? [])])];
  const isForAnyone = isAnyone(fields.who);
  const issuer = issuerOf(fields, issuers, used.length > 0 || conditions.length > 0);
  if (isForAnyone && (issuer !== undefined || used.length > 0 || conditions.length > 0 || fields.kind !== undefined)) {
    fail(
      '"who: anyone" also means clients without a token: leave out issuer, if, kind and variables, or leave out who',
    );
  }
  const compiled = {
    subscribe,
    publish,
    publishTo: publishToOf(fields),
    send: sendOf(fields),
    broadcast: isSet(fields, 'broadcast', true),
    isService: isSet(fields, 'kind', 'service'),
    isForAnyone,
    issuer,
    conditions,
    variables: used,
  };
  const { send, broadcast, isService } = compiled;
  if (subscribe || publish || send !== undefined || broadcast || isService) return compiled;
  return fail('it grants nothing: add subscribe, send, publish, broadcast or kind');
}

function fieldsOf(rule: unknown): Fields {
  if (!isMap(rule)) return fail('a rule is a map, such as { subscribe: "public.#", who: "anyone" }');
  const unknown = Object.keys(rule).find((name) => !Object.hasOwn(NONE, name));
  if (unknown !== undefined) {
    fail(`${JSON.stringify(unknown)} is not part of a rule; there are ${Object.keys(NONE).join(', ')}`);
  }
  return { ...NONE, ...rule };
}

function templateOf(fields: Fields, name: 'subscribe' | 'publish', variables: Variables): TopicTemplate | undefined {
  const pattern = textOf(fields, name);
  return pattern === undefined ? undefined : parseTemplate(pattern, variables);
}

function publishToOf(fields: Fields): CompiledRule['publishTo'] {
  const exchange = textOf(fields, 'exchange');
  const source = textOf(fields, 'source');
  if (fields.publish === undefined && (exchange !== undefined || source !== undefined)) {
    fail('exchange and source limit publish: add publish, or leave them out');
  }
  for (const value of [exchange, source]) assertNoVariable(value);
  return { ...(exchange !== undefined && { exchange }), ...(source !== undefined && { source }) };
}

function sendOf(fields: Fields): string | undefined {
  const name = textOf(fields, 'send');
  assertNoVariable(name);
  return name;
}

function assertNoVariable(value: string | undefined): void {
  if (value !== undefined && /\{[^{}]*\}/.test(value)) {
    fail(`${JSON.stringify(value)} has a variable: only subscribe and publish can have one`);
  }
}

function isAnyone(who: unknown): boolean {
  if (who === undefined || who === 'authenticated') return false;
  return who === 'anyone' || fail('who must be anyone or authenticated');
}

function issuerOf(fields: Fields, issuers: readonly string[], usesClaims: boolean): string | undefined {
  const issuer = textOf(fields, 'issuer');
  if (issuer !== undefined) {
    if (issuers.length === 0 || issuers.includes(issuer)) return issuer;
    return fail(`${JSON.stringify(issuer)} is not an issuer; the issuers are ${issuers.join(', ')}`);
  }
  if (!usesClaims) return undefined;
  if (issuers.length <= 1) return issuers[0];
  return fail(`it uses claims, and there are several issuers: add "issuer:" with one of ${issuers.join(', ')}`);
}

function conditionsOf(value: unknown): readonly Condition[] {
  if (value === undefined) return [];
  if (!isMap(value) || Object.keys(value).length === 0) {
    return fail('if must be a map of claims and values, such as { role: ["admin", "owner"] }');
  }
  return Object.entries(value).map(([claim, values]) => conditionOf(claim, values));
}

function conditionOf(claim: string, value: unknown): Condition {
  if (claim === '') fail('if has a claim without a name');
  const list: readonly unknown[] = Array.isArray(value) ? value : [value];
  const values = list.filter(isClaimValue);
  if (values.length > 0 && values.length === list.length) return { claim, values };
  return fail(`the claim ${JSON.stringify(claim)} in if needs a string, number or boolean, or a list of them`);
}

function isClaimValue(value: unknown): value is ClaimValue {
  return typeof value === 'string' || typeof value === 'boolean' || Number.isFinite(value);
}

/** Whether a member is there, which can have one value only. */
function isSet(fields: Fields, name: 'kind' | 'broadcast', value: unknown): boolean {
  if (fields[name] === undefined) return false;
  return fields[name] === value || fail(`${name} can only be ${String(value)}`);
}

function textOf(fields: Fields, name: keyof Rule): string | undefined {
  const value = fields[name];
  if (value === undefined) return undefined;
  return typeof value === 'string' && value !== '' ? value : fail(`${name} must be a text that is not empty`);
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function fail(message: string): never {
  throw new TypeError(message);
}
