import type { Entrance, Session } from '../session.js';
import { frame } from '../values/frame.js';
import { handshakeHead, openWebSocket } from '../values/handshake.js';
import { encoded, position } from '../values/texts.js';

/**
 * Positions with flipped bits, of other logs and keys, or of the old form: each is served, answered with a reset, or
 * refused.
 */
export const positions: Entrance = {
  name: 'positions',
  weight: 8,
  run: (session) => (session.random.chance(0.6) ? overOneConnection(session) : inHandshakes(session)),
};

async function overOneConnection(session: Session): Promise<void> {
  const { random, target } = session;
  const wire = await openWebSocket(session, target.paths.events, { protocol: 'pregon.v1' });
  if (!wire) return;
  for (let id = 1; id <= random.integer(1, 20) && !wire.isClosed; id++) {
    const since = position(random, target.positions);
    wire.forget();
    const subscribe = { op: 'subscribe', id, since, topics: [`none.${id}`] };
    await wire.input(frame(random, JSON.stringify(subscribe)));
    await wire.untilSo(() => /"op":"(subscribed|reset|error)"/.test(wire.text), 1_000);
  }
  await wire.end();
}

async function inHandshakes(session: Session): Promise<void> {
  const { random, target } = session;
  const wire = await session.connect();
  const since = encoded(position(random, target.positions));
  await wire.input(handshakeHead(random, `${target.paths.events}?since=${since}&topics=none`));
  await wire.until('\r\n\r\n', 1_000);
  await wire.end();
}
