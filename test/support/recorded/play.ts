import { setTimeout as delay } from 'node:timers/promises';
import { Bindings, isIgnored, isServedStill } from './match.js';
import { Marker } from './placeholders.js';
import { type Action, currentVersion, type Recording, type Step, type Way } from './recording.js';
import { Stage } from './stage.js';

/** A step of a recording ends when no frame has come for this time. A replay waits for the recorded frames instead. */
const QUIET_MS = 400;

export interface Session {
  readonly way: Way;
  readonly known: readonly string[];
  readonly actions: readonly Action[];
}

/** Plays a session, and records the frames that the gateway of this checkout sends. */
export async function record({ way, known, actions }: Session): Promise<Recording> {
  const stage = await Stage.open(way);
  const marker = new Marker();
  const read = new Map<string, number>();
  const steps: Step[] = [];
  for (const action of actions) {
    await stage.act(action, (text) => marker.fill(text));
    await untilQuiet(stage);
    const got: Record<string, string[]> = {};
    for (const [name, { frames }] of stage.wires) {
      const fresh = frames.all.slice(read.get(name) ?? 0).map((frame) => marker.mark(name, frame));
      read.set(name, frames.all.length);
      if (fresh.length > 0) got[name] = fresh;
    }
    steps.push({ ...action, got });
  }
  return { version: currentVersion(), way, known, steps };
}

async function untilQuiet({ wires }: Stage): Promise<void> {
  const count = () => [...wires.values()].reduce((sum, { frames }) => sum + frames.all.length, 0);
  for (let before = -1; before !== count(); ) {
    before = count();
    await delay(QUIET_MS);
  }
}

/** A frame that is not the same for a client of the recorded release. */
export interface Difference {
  readonly step: Action;
  readonly wire: string;
  readonly recorded: string;
  readonly actual: string;
}

/** Plays the client's side of a recording. @returns the frames that differ from the recorded ones */
export async function replay({ way, known, steps }: Recording): Promise<Difference[]> {
  const stage = await Stage.open(way);
  const bindings = new Bindings();
  const differences: Difference[] = [];
  const read = new Map<string, number>();
  /** Returns the next frame that the client does not ignore. */
  const next = async (name: string): Promise<string> => {
    const { frames } = stage.wire(name);
    for (;;) {
      const count = (read.get(name) ?? 0) + 1;
      await frames.count(count);
      read.set(name, count);
      const frame = frames.all[count - 1] ?? '';
      if (!isIgnored(frame, known)) return frame;
    }
  };
  for (const { got, ...step } of steps) {
    await stage.act(step, (text) => bindings.fill(text));
    for (const [wire, frames] of Object.entries(got)) {
      for (const recorded of frames) {
        const actual = await next(wire);
        if (isServedStill(recorded, actual, bindings)) continue;
        differences.push({ step, wire, recorded, actual });
        // After a difference, the later frames cannot be assigned to the recorded ones.
        return differences;
      }
    }
  }
  for (const [wire, { frames }] of stage.wires) {
    const more = frames.all.slice(read.get(wire) ?? 0).filter((frame) => !isIgnored(frame, known));
    const step = steps.at(-1);
    for (const actual of more) if (step) differences.push({ step, wire, recorded: 'nothing', actual });
  }
  return differences;
}
