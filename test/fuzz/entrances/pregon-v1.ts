import type { Random } from '../../chaos/random.js';
import type { Entrance, Session } from '../session.js';
import { deflated, frame } from '../values/frame.js';
import { openWebSocket, untilRead } from '../values/handshake.js';
import { dataText, jsonText, nearly } from '../values/json.js';
import { oddText, patterns, position } from '../values/texts.js';

/** Control frames of `pregon.v1`: valid ones, nearly valid ones, and texts that only look like one. */
export const pregonV1: Entrance = {
  name: 'pregon.v1',
  weight: 24,
  async run(session) {
    const { random, target } = session;
    const { events, zip, chat, rows } = target.paths;
    const deflate = random.chance(0.3);
    const path = deflate ? zip : random.pick([events, chat, rows, rows]);
    const wire = await openWebSocket(session, path, { protocol: 'pregon.v1', deflate });
    if (!wire) return;
    if (random.chance(0.05)) wire.pauseReading();
    for (let left = random.integer(1, 40); left > 0 && !wire.isClosed; left--) {
      const text = nearly(random, controlFrame(session));
      const bytes = deflate && random.chance(0.5) ? frame(random, deflated(text), { rsv: 4 }) : frame(random, text);
      // A flood of one frame counts as one input.
      await wire.input(random.chance(0.005) ? Buffer.concat(Array.from({ length: 500 }, () => bytes)) : bytes);
    }
    if (random.chance(0.8)) await untilRead(session, wire);
    await wire.end();
  },
};

export function controlFrame(session: Session): string {
  const { random } = session;
  switch (random.integer(0, 11)) {
    case 0:
    case 1:
    case 2:
    case 3:
      return subscribe(session);
    case 4:
    case 5:
      return `{"op":"unsubscribe","id":${id(random)}}`;
    case 6:
    case 7:
    case 8: {
      const name = random.pick(['bid', 'slow', 'none', oddText(random)]);
      return `{"op":"send",${random.chance(0.5) ? `"id":${id(random)},` : ''}"name":${JSON.stringify(name)},"data":${dataText(random)}}`;
    }
    case 9:
      return '{"op":"ping"}';
    case 10: {
      // Any keys with any values.
      const keys = [
        'op',
        'id',
        'topics',
        'since',
        'snapshot',
        'batch',
        'name',
        'data',
        'specversion',
        '__proto__',
        'token',
      ];
      const pairs = Array.from({ length: random.integer(0, 6) }, () => `"${random.pick(keys)}":${jsonText(random)}`);
      return `{${pairs.join(',')}}`;
    }
    default:
      return random.pick([
        () => dataText(random),
        () => `{"op":${JSON.stringify(oddText(random))},"id":${id(random)}}`,
        () => `\ufeff{"op":"ping"}`,
        () => `${' '.repeat(random.duration(1, 10_000))}{"op":"ping"}`,
        () => `{"op":"subscribe","op":"ping","id":1,"id":2}`,
        () => `{"op":"auth","token":${jsonText(random)}}`,
      ])();
  }
}

function subscribe({ random, target }: Session): string {
  const parts = [`"op":"subscribe"`, `"id":${id(random)}`];
  if (random.chance(0.7))
    parts.push(`"topics":${random.chance(0.95) ? JSON.stringify(patterns(random)) : jsonText(random)}`);
  if (random.chance(0.4)) {
    const since = random.chance(0.9) ? JSON.stringify(position(random, target.positions)) : jsonText(random);
    parts.push(`"since":${since}`);
  }
  if (random.chance(0.3)) parts.push(`"snapshot":${random.chance(0.9) ? 'true' : jsonText(random)}`);
  if (random.chance(0.2)) parts.push(`"batch":${random.chance(0.9) ? 'true' : jsonText(random)}`);
  return `{${parts.join(',')}}`;
}

/** Ids from a small range, so that they collide. */
function id(random: Random): string {
  if (random.chance(0.9)) return String(random.integer(0, 12));
  return random.pick([
    '-1',
    '1.5',
    '9007199254740991',
    '9007199254740992',
    '1e999',
    '"1"',
    'null',
    '[]',
    '-0',
    '1e2',
    '',
  ]);
}
