import { DEFAULT_MAX_EVENT_BYTES, type PregonEvent } from '@pregon/protocol';
import type { AccessLimits } from '../../access/limits/access-limits.js';
import { mayPublish } from '../../access/rules/may-publish.js';
import type { Rights } from '../../core/ports/rights.js';
import type { AdminAccess, AdminRoute } from '../admin-route.js';
import { HttpProblem, sendJson } from '../problem.js';
import { PublishAccess } from './publish-access.js';
import { readEvent } from './publish-request.js';

export interface PublishOptions {
  /** The token of the port: a publisher who sends it may publish everything. @default there is none */
  readonly token?: string | undefined;
  /** Finds other publishers, and what they may publish; `again` when the body has arrived. @default there are none */
  readonly rules?: { readonly first: AdminAccess; readonly again: AdminAccess } | undefined;
  /** Limits how many tokens of one address may be refused. @default no limit */
  readonly limits?: AccessLimits | undefined;
  /** The largest body, in bytes. @default 1048576 (1 MiB) */
  readonly maxBytes?: number;
  /** The exchanges of the gateway. Publishing to another one is refused, because this gateway would not deliver it. */
  readonly exchanges: readonly string[];
  /** Resolves with the event's position when the event is durable. */
  readonly append: (event: PregonEvent) => Promise<string>;
}

/** `POST /publish/:exchange/:topic`: appends an event. */
export function publishRoute({
  token,
  rules,
  limits,
  exchanges,
  maxBytes = DEFAULT_MAX_EVENT_BYTES,
  append,
}: PublishOptions): AdminRoute {
  return {
    methods: ['POST'],
    path: '/publish/:exchange/:topic',
    access: new PublishAccess({ token, rules: rules?.first, limits }),
    accessAgain: rules?.again,
    async answer(request, response, { exchange = '', topic = '' }, { rights, assertStillAllowed }) {
      assertMayPublish(rights, { exchange, topic });
      if (!exchanges.includes(exchange)) {
        throw new HttpProblem(404, `there is no exchange "${exchange}"; the exchanges are ${exchanges.join(', ')}`);
      }
      const event = await readEvent(request, { exchange, topic }, maxBytes);
      assertMayPublish(rights, event);
      // A slow body takes many seconds, in which the identity can expire or be revoked.
      await assertStillAllowed();
      sendJson(response, 201, { id: event.id, position: await append(event) });
    },
  };
}

/**
 * @param rights undefined for all
 * @throws HttpProblem 403, which depends on the rights only
 */
function assertMayPublish(rights: Rights | undefined, event: Parameters<typeof mayPublish>[1]): void {
  if (!rights || mayPublish(rights, event)) return;
  const { topic, exchange, source } = event;
  const from = source === undefined ? '' : ` with the source ${JSON.stringify(source)}`;
  throw new HttpProblem(403, `this identity may not publish to ${topic} of the exchange ${exchange}${from}`, {
    'www-authenticate': 'Bearer error="insufficient_scope"',
  });
}
