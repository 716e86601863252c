import type { Entrance } from '../session.js';
import { mutated } from '../values/bytes.js';
import { anyTarget, requestText } from './raw-http.js';

/**
 * The application that the gateway is attached to: its own paths, other upgrades than WebSocket, and paths of the
 * gateway in between.
 */
export const application: Entrance = {
  name: 'application',
  weight: 10,
  isThere: ({ paths }) => paths.application !== undefined,
  async run(session) {
    const { random, target } = session;
    const wire = await session.connect();
    for (let left = random.integer(1, 4); left > 0 && !wire.isClosed; left--) {
      const path = random.chance(0.6) ? (target.paths.application ?? '/') : anyTarget(random, session);
      const upgrade = random.pick(['h2c', 'websocket', 'TLS/1.2', 'foo']);
      const text = random.chance(0.3)
        ? `GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: ${upgrade}\r\n\r\n`
        : requestText(random, path);
      const bytes = Buffer.from(text, 'latin1');
      await wire.input(random.chance(0.9) ? bytes : mutated(random, bytes));
    }
    if (random.chance(0.6)) await wire.until('HTTP/1.1', 150);
    await wire.end();
  },
};
