import type { Entrance } from '../session.js';
import { mutated, randomBytes } from '../values/bytes.js';
import { anyFrame, frame } from '../values/frame.js';
import { openWebSocket, untilRead } from '../values/handshake.js';
import { dataText } from '../values/json.js';
import { encoded, oddText } from '../values/texts.js';

/** A component: its path with parameters, and messages that it echoes, relays, or answers by closing. */
export const component: Entrance = {
  name: 'component',
  weight: 10,
  isThere: ({ paths }) => paths.component !== undefined,
  async run(session) {
    const { random, target } = session;
    const room = random.chance(0.7) ? 'room' : encoded(oddText(random));
    const path = (target.paths.component ?? '').replace(/room$/, room);
    const wire = await openWebSocket(session, path, random.chance(0.2) ? { protocol: 'chat' } : {});
    if (!wire) return;
    if (random.chance(0.1)) wire.pauseReading();
    for (let left = random.integer(1, 20); left > 0 && !wire.isClosed; left--) {
      const payload = random.chance(0.5)
        ? Buffer.from(random.pick(['echo', 'all', 'close', 'throw', dataText(random)]))
        : randomBytes(random, random.duration(1, 2_000));
      const bytes = random.chance(0.7)
        ? frame(random, payload, { opcode: random.pick([1, 1, 2]) })
        : anyFrame(random, payload);
      await wire.input(random.chance(0.95) ? bytes : mutated(random, bytes));
    }
    if (random.chance(0.6)) await untilRead(session, wire);
    await wire.end();
  },
};
