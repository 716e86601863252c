import type { ServedRoute } from '../routes/served-route.js';
import { decodeBroadcast } from './broadcast.js';
import type { OtherGateways } from './other-gateways.js';

/** Shares broadcasts between routes of the same name on all gateways of the log. */
export function shareBroadcasts(others: OtherGateways, routes: readonly ServedRoute[]): void {
  const tellOthers = others.open('broadcast', (text) => deliver(text, routes));
  for (const { connections } of routes) connections.tellOthers = tellOthers;
}

/** Drops the message if this gateway has no route with that name. */
function deliver(text: string, routes: readonly ServedRoute[]): void {
  const { route, message } = decodeBroadcast(text);
  routes.find(({ name }) => name === route)?.connections.deliver(message, text.length);
}
