import { z } from 'zod';
import { isCookieName } from '../../access/tokens/token-admission.js';
import type { EntranceAccess } from '../../core/ports/admission.js';
import { parseDuration } from '../quantities.js';
import { NO_DURATION, quantity, text } from '../scalars.js';

const NO_SECRET = 'a secret does not belong in this file: write it to a file of its own, and name that in secretFile';
const NO_KEY = 'write the key to a file of its own, and name that in publicKeyFile';
const NO_CLAIM = 'must be a text, a number, true or false, or a list of them';

const ACCESS: readonly unknown[] = ['public', 'authenticated', 'application'] satisfies EntranceAccess[];

export const NO_NAMESPACES = 'must be a map of namespaces, each with public, authenticated or application';

export function isEntranceAccess(value: unknown): value is EntranceAccess {
  return ACCESS.includes(value);
}

/** One value, or a list of them. */
const oneOrMore = <T extends z.ZodType>(entry: T) =>
  z.preprocess((value) => (value === undefined || Array.isArray(value) ? value : [value]), z.array(entry).min(1));

/** @param file the schema of a file name */
export function issuerSchema<T extends z.ZodType<string>>(file: T) {
  return z.strictObject({
    issuer: text,
    audience: oneOrMore(text).optional(),
    jwks: text.optional(),
    secretFile: oneOrMore(file).optional(),
    publicKeyFile: oneOrMore(file).optional(),
    algorithms: oneOrMore(text).optional(),
    secret: z.never({ error: NO_SECRET }).optional(),
    publicKey: z.never({ error: NO_KEY }).optional(),
  });
}

/** @param file the schema of a file name */
export function authSchema<T extends z.ZodType<string>>(file: T) {
  return z.strictObject({
    issuers: z.array(issuerSchema(file)).min(1).optional(),
    hook: text.optional(),
    forward: z.array(text).min(1).optional(),
    maxTokenLifetime: quantity(parseDuration, NO_DURATION)
      .refine((ms) => ms >= 1_000, 'must be at least 1s')
      .optional(),
    cookie: z.string().refine(isCookieName, 'is not a valid name of a cookie').optional(),
  });
}

const isClaimValue = (value: unknown): value is string | number | boolean =>
  typeof value === 'string' || typeof value === 'boolean' || Number.isFinite(value);

const claim = z.custom<string | number | boolean | (string | number | boolean)[]>(
  (value) => (Array.isArray(value) && value.length > 0 ? value.every(isClaimValue) : isClaimValue(value)),
  NO_CLAIM,
);

/** The members of a rule. What they mean together is checked when the rule is compiled. */
export const ruleSchema = z.strictObject({
  subscribe: text.optional(),
  send: text.optional(),
  publish: text.optional(),
  exchange: text.optional(),
  source: text.optional(),
  who: z.enum(['anyone', 'authenticated'], { error: 'must be anyone or authenticated' }).optional(),
  issuer: text.optional(),
  if: z.record(z.string(), claim).optional(),
  kind: z.literal('service', { error: 'must be service' }).optional(),
  broadcast: z.literal(true, { error: 'must be true' }).optional(),
});
