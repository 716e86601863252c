import { readFileSync } from 'node:fs';
import { Random } from '../chaos/random.js';
import { Session, type Step } from './session.js';
import type { Target } from './targets/target.js';
import type { Wire } from './wire.js';

/** How long to wait for the answer to the first bytes of a connection. */
const ANSWER_MS = 300;

/**
 * Replays a transcript, session by session. The Engine.IO session ids in it belong to the earlier gateway, so packets
 * of these sessions are refused; everything else is identical to the byte.
 *
 * @param file written by {@link saveTranscript}
 * @returns the number of sessions
 */
export async function replay(file: string, target: Target): Promise<number> {
  const sessions: unknown = JSON.parse(readFileSync(file, 'utf8'));
  if (!Array.isArray(sessions)) throw new TypeError(`${file} is no transcript`);
  for (const { index, steps } of sessions) {
    const session = new Session(Number(index), new Random(0, 'replay'), target);
    await play(session, steps);
    session.end();
    if (target.faults.length > 0) throw new Error(`session ${index}: ${target.faults.join('\n')}`);
  }
  return sessions.length;
}

async function play(session: Session, steps: readonly Step[]): Promise<void> {
  const wires = new Map<number, { wire: Wire; answered: boolean }>();
  for (const step of steps) {
    if ('connect' in step) {
      const port = step.http ? session.target.http?.port : session.target.port;
      wires.set(step.wire, { wire: await session.connect(port), answered: false });
      continue;
    }
    const place = wires.get(step.wire);
    if (!place) continue;
    if ('write' in step) {
      place.wire.write(Buffer.from(step.write, 'base64'));
      if (!place.answered) await place.wire.until('\r\n\r\n', ANSWER_MS);
      place.answered = true;
    } else if (step.close === 'reset') place.wire.reset();
    else place.wire.finish();
  }
}
