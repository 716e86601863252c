import { type Log, openLog } from 'pregon';
import { createEvent, nowMicros } from '../events.js';
import { answer } from '../processes/answer.js';
import { numberOf, textOf } from '../processes/messages.js';

let log: Log | undefined;
let eventBytes = 0;
let stop: (() => void) | undefined;

/** Appends events with numbers from `first`, to a topic of either the returning or the present connections. */
async function append(topic: string, first: number, count: number): Promise<void> {
  const at = nowMicros();
  const events = Array.from({ length: count }, (_, index) => ({
    ...createEvent(first + index, eventBytes, at),
    topic,
    source: `/bench/${topic}`,
  }));
  await log?.append(events);
}

answer({
  async open(fields) {
    eventBytes = numberOf(fields, 'eventBytes');
    log = await openLog(textOf(fields, 'log'));
    return {};
  },

  /** Appends `count` events to the topic in one call. */
  async append(fields) {
    await append(textOf(fields, 'topic'), numberOf(fields, 'first'), numberOf(fields, 'count'));
    return {};
  },

  /** Appends one event every `intervalMs` until `stop`; answers how many. */
  async tick(fields) {
    const first = numberOf(fields, 'first');
    const intervalMs = numberOf(fields, 'intervalMs');
    let running = true;
    stop = () => {
      running = false;
    };
    let sent = 0;
    for (let due = performance.now(); running; due = Math.max(due + intervalMs, performance.now())) {
      await append(textOf(fields, 'topic'), first + sent, 1);
      sent += 1;
      await new Promise((resolve) => setTimeout(resolve, Math.max(0, due + intervalMs - performance.now())));
    }
    return { sent };
  },

  stop() {
    stop?.();
    return {};
  },
});
