import type { Random } from '../../chaos/random.js';
import type { Entrance } from '../session.js';
import { mutated, randomBytes } from '../values/bytes.js';
import { anyFrame, frame } from '../values/frame.js';
import { openWebSocket, untilRead } from '../values/handshake.js';
import { dataText } from '../values/json.js';

/**
 * WebSocket frames of any kind, on each route, compressed and not: opcodes, RSV bits, masks, lengths, fragments, bombs.
 */
export const frames: Entrance = {
  name: 'frames',
  weight: 18,
  async run(session) {
    const { random, target } = session;
    const { events, zip, chat, rows, component } = target.paths;
    const path = random.pick([events, zip, zip, chat, rows, ...(component === undefined ? [] : [component])]);
    const protocol = random.chance(0.3) ? 'pregon.v1' : undefined;
    const deflate = path === zip || random.chance(0.1);
    const wire = await openWebSocket(session, path, protocol === undefined ? { deflate } : { deflate, protocol });
    if (!wire) return;
    if (random.chance(0.05)) wire.pauseReading();
    for (let left = random.integer(1, 30); left > 0 && !wire.isClosed; left--) {
      const bytes = anyFrame(random, payloadOf(random));
      await wire.input(random.chance(0.9) ? bytes : mutated(random, bytes));
    }
    if (random.chance(0.02)) await wire.input(flood(random));
    if (random.chance(0.7)) await untilRead(session, wire);
    await wire.end();
  },
};

function payloadOf(random: Random): Buffer {
  if (random.chance(0.5)) return Buffer.from(dataText(random));
  if (random.chance(0.002)) return Buffer.alloc(random.pick([1_048_576, 1_048_577]), 'a');
  return randomBytes(random, random.duration(1, 1_000));
}

/** One small frame, thousands of times in one piece. */
function flood(random: Random): Buffer {
  const [payload, opcode] = random.pick([
    ['', 1],
    ['', 9],
    ['x'.repeat(125), 9],
    ['{"op":"ping"}', 1],
    ['not JSON', 1],
    ['', 10],
  ] as const);
  const one = frame(random, payload, { opcode });
  return Buffer.concat(Array.from({ length: random.pick([100, 1_000, 5_000]) }, () => one));
}
