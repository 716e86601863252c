import { DEFAULT_MAX_EVENT_BYTES, type PregonEvent } from '@pregon/protocol';
import { BearerToken } from '../../access/bearer-token.js';
import type { AdminRoute } from '../admin-route.js';
import { HttpProblem, sendJson } from '../problem.js';
import { readEvent } from './publish-request.js';

export interface PublishOptions {
  /** The token that a publisher must send; without one, publishing is off. */
  readonly token?: string | undefined;
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
  exchanges,
  maxBytes = DEFAULT_MAX_EVENT_BYTES,
  append,
}: PublishOptions): AdminRoute {
  return {
    methods: ['POST'],
    path: '/publish/:exchange/:topic',
    access: new BearerToken(token),
    async answer(request, response, { exchange = '', topic = '' }) {
      if (!exchanges.includes(exchange)) {
        throw new HttpProblem(404, `there is no exchange "${exchange}"; the exchanges are ${exchanges.join(', ')}`);
      }
      const event = await readEvent(request, { exchange, topic }, maxBytes);
      sendJson(response, 201, { id: event.id, position: await append(event) });
    },
  };
}
