import { messageOf } from '@pregon/protocol';
import { z } from 'zod';
import { planHook } from '../../access/hook/hook-options.js';
import { ruleProblem } from '../../access/rules/compile-rules.js';
import { planIssuer } from '../../access/tokens/issuer-plan.js';
import { BESIDE_AUTH } from '../../gateway/access/access-mode.js';
import { type ConfigurationPath, type Problem, startsWith } from '../problems.js';
import { issuerSchema, ruleSchema } from './access-schema.js';

/** Where the keys of an issuer can be, in a file. */
const KEY_PLACES = ['jwks', 'secretFile', 'publicKeyFile'] as const;

const hookShape = z.object({
  hook: z.string().optional(),
  forward: z.array(z.string()).optional(),
  issuers: z.unknown().optional(),
  cookie: z.unknown().optional(),
});

/** Files were resolved and looked for already. */
const issuerShape = issuerSchema(z.string());

/**
 * What is wrong with issuers and rules although each of their members is valid by itself. A refinement of the schema
 * would not run while any other part of the file is invalid.
 *
 * @param known the problems found so far; what they concern is not checked again
 */
export function accessProblems(value: unknown, known: readonly Problem[]): Problem[] {
  const auth = member(value, 'auth');
  const isFine = (start: ConfigurationPath) => !known.some(({ path }) => startsWith(path, start));
  const issuers = listOf(member(auth, 'issuers'));
  const problems: Problem[] = isFine(['auth']) ? hookProblems(auth) : [];
  for (const [index, issuer] of issuers.entries()) {
    if (isFine(['auth', 'issuers', index])) problems.push(...issuerProblems(issuer, index, issuers));
  }
  const names = issuers.map((issuer) => member(issuer, 'issuer')).filter((name) => typeof name === 'string');
  const routes = member(member(value, 'websocket'), 'routes');
  for (const route of keysOf(routes)) {
    const path = ['websocket', 'routes', route, 'allow'];
    if (member(value, 'snapshotSecretFile') === undefined) problems.push(...unsignedSnapshot(routes, route));
    const allow = member(member(routes, route), 'allow');
    if (allow === undefined) continue;
    if (member(member(routes, route), 'access') === 'public') {
      const message = 'has no effect beside allow; remove one of the two';
      problems.push({ path: ['websocket', 'routes', route, 'access'], message });
    }
    if (auth === undefined) problems.push({ path, message: 'needs auth: add the issuers of tokens' });
    for (const [index, rule] of listOf(allow).entries()) {
      const { data } = ruleSchema.safeParse(rule);
      if (!data || auth === undefined) continue;
      const message = ruleProblem(data, { issuers: names });
      if (message !== undefined) problems.push({ path: [...path, index], message });
    }
  }
  if (auth !== undefined && member(value, 'access') === 'public') {
    problems.push({ path: ['access'], message: `cannot be set beside auth: ${BESIDE_AUTH}` });
  }
  if (auth === undefined && member(member(value, 'socketIo'), 'namespaces') !== undefined) {
    problems.push({
      path: ['socketIo', 'namespaces'],
      message: 'needs auth: without it, access applies to every namespace',
    });
  }
  return problems;
}

/** The application could not tell the gateway's statements about a client from those of anybody else. */
function unsignedSnapshot(routes: unknown, route: string): Problem[] {
  const per = member(member(member(routes, route), 'snapshot'), 'per');
  if (per !== 'rights' && per !== 'identity') return [];
  const path = ['websocket', 'routes', route, 'snapshot', 'per'];
  return [{ path, message: 'needs snapshotSecretFile: a file with the secret that signs the requests to the URL' }];
}

/** What is wrong with the way in which `auth` finds identities. */
function hookProblems(auth: unknown): Problem[] {
  const { data } = hookShape.safeParse(auth);
  if (!data) return [];
  const { hook, forward, issuers } = data;
  if (hook === undefined) {
    if (issuers === undefined) return [{ path: ['auth'], message: 'needs issuers, or hook' }];
    return forward === undefined ? [] : [{ path: ['auth', 'forward'], message: 'needs auth.hook' }];
  }
  const other = (['issuers', 'cookie'] as const).find((name) => data[name] !== undefined);
  if (other !== undefined) {
    return [{ path: ['auth', other], message: 'has no effect beside auth.hook; remove one of the two' }];
  }
  try {
    planHook({ hook, forward });
    return [];
  } catch (error) {
    const [, option = 'hook', message = ''] = /^auth\.(\w+):? (.*)$/s.exec(messageOf(error)) ?? [];
    return [{ path: ['auth', option], message }];
  }
}

function issuerProblems(value: unknown, index: number, all: readonly unknown[]): Problem[] {
  const path = ['auth', 'issuers', index];
  const { data: issuer } = issuerShape.safeParse(value);
  if (!issuer) return [];
  const first = all.findIndex((other) => member(other, 'issuer') === issuer.issuer);
  if (first !== index) {
    return [{ path: [...path, 'issuer'], message: `is also auth.issuers[${first}]; name each issuer once` }];
  }
  const given = KEY_PLACES.filter((name) => issuer[name] !== undefined);
  if (given.length !== 1) {
    const has = given.join(', ') || 'none';
    return [{ path, message: `must have exactly one of ${KEY_PLACES.join(', ')}; it has ${has}` }];
  }
  try {
    planIssuer(issuer, index);
    return [];
  } catch (error) {
    // The message begins with the place of the option, to which the place in the file is added here.
    const [, option, message = ''] = /^auth\.issuers\[\d+\](?:\.(\w+))?:? (.*)$/s.exec(messageOf(error)) ?? [];
    return [{ path: option === undefined ? path : [...path, option], message }];
  }
}

function member(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined;
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function keysOf(value: unknown): string[] {
  return typeof value === 'object' && value !== null ? Object.keys(value) : [];
}
