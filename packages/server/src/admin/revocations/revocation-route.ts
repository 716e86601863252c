import { messageOf, type Revocation, toBlock, toRevocation, toUnblock } from '@pregon/protocol';
import { z } from 'zod';
import { BearerToken } from '../../access/bearer-token.js';
import type { FailedAuthentications } from '../../access/limits/failed-authentications.js';
import { readJsonObject } from '../../core/json-input.js';
import type { AdminRoute } from '../admin-route.js';
import { HttpProblem, sendJson } from '../problem.js';
import { readBody } from '../request-body.js';

export interface RevocationRouteOptions {
  /** The token that a client must send; without one, revoking over HTTP is off. */
  readonly token?: string | undefined;
  /** Limits how many tokens of one address may be refused. @default no limit */
  readonly failures?: FailedAuthentications | undefined;
  /** Resolves when the revocation is durable. */
  readonly record: (revocation: Revocation) => Promise<void>;
}

const MAX_BYTES = 8_192;

/** RFC 3339, or milliseconds since 1970. */
const time = z.union([z.number(), z.iso.datetime({ offset: true })]).transform((given) => new Date(given));

const request = z.union(
  [
    z.strictObject({ iss: z.string(), sub: z.string() }).transform((target) => () => toRevocation(target, Date.now())),
    z.strictObject({ iss: z.string(), jti: z.string() }).transform((target) => () => toRevocation(target, Date.now())),
    z
      .strictObject({ iss: z.string(), issuedBefore: time })
      .transform((target) => () => toRevocation(target, Date.now())),
    z
      .strictObject({ iss: z.string(), sub: z.string(), until: time })
      .transform((target) => () => toBlock(target, Date.now())),
    z.strictObject({ iss: z.string(), sub: z.string(), until: z.null() }).transform(
      ({ iss, sub }) =>
        () =>
          toUnblock({ iss, sub }, Date.now()),
    ),
  ],
  {
    error:
      'the body must be {"iss","sub"}, {"iss","jti"}, {"iss","issuedBefore"} or {"iss","sub","until"}; times are RFC 3339 or milliseconds since 1970, and null as until lifts a block',
  },
);

/** `POST /revocations`: revokes tokens, blocks a subject, or lifts a block. */
export function revocationRoute({ token, failures, record }: RevocationRouteOptions): AdminRoute {
  return {
    methods: ['POST'],
    path: '/revocations',
    access: new BearerToken(token, failures),
    async answer(incoming, response) {
      const revocation = readRevocation(await readBody(incoming, MAX_BYTES));
      await record(revocation);
      sendJson(response, 201, revocation);
    },
  };
}

/** @throws HttpProblem 400 */
function readRevocation(body: Uint8Array): Revocation {
  const parsed = request.safeParse(readJsonObject(body, 'the body'));
  if (!parsed.success) throw new HttpProblem(400, parsed.error.issues.map(({ message }) => message).join('; '));
  try {
    return parsed.data();
  } catch (error) {
    throw new HttpProblem(400, messageOf(error));
  }
}
