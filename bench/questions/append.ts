import { join } from 'node:path';
import { Child } from '../processes/child.js';
import { numberOf } from '../processes/messages.js';
import { goal, NO_GOAL, type Question, type Row } from '../question.js';
import { median } from '../statistics.js';
import { formatCell } from '../table.js';
import { cpuMicros, newLogUrl } from './sides.js';

const EVENT_BYTES = 500;

interface Way {
  readonly case: string;
  readonly op: 'append' | 'sync';
  readonly group: number;
  readonly callers: number;
  readonly leastPerSecond?: number;
}

const WAYS: readonly Way[] = [
  { case: 'one by one, each safe before the next', op: 'append', group: 1, callers: 1, leastPerSecond: 2_000 },
  { case: '100 callers at once, one event each', op: 'append', group: 1, callers: 100 },
  { case: 'groups of 500', op: 'append', group: 500, callers: 1, leastPerSecond: 100_000 },
  { case: 'the disk: 4 KiB and fsync', op: 'sync', group: 1, callers: 1 },
];

export const append: Question = {
  name: 'append',
  title: `Events of ${EVENT_BYTES} bytes appended to the embedded log, each safe on disk`,
  cases: [],
  async answer(context) {
    const publisher = Child.start('servers/publisher');
    await publisher.ask('open', { log: newLogUrl(context), eventBytes: EVENT_BYTES });
    const rates = WAYS.map((): number[] => []);
    const cpu = WAYS.map((): number[] => []);
    const durationMs = context.quick ? 500 : 1_200;
    let first = 1;
    for (let round = 0; round < (context.quick ? 2 : 5); round++) {
      for (const [index, way] of WAYS.entries()) {
        context.progress(`append, round ${round + 1}: ${way.case}`);
        const before = await cpuMicros(publisher);
        const path = join(context.folder, 'block');
        const figures = await publisher.ask(way.op, { ...way, leastPerSecond: 0, durationMs, first, path });
        const events = numberOf(figures, 'events');
        first += events;
        rates[index]?.push(events / (numberOf(figures, 'elapsedMs') / 1_000));
        cpu[index]?.push(((await cpuMicros(publisher)) - before) / events);
      }
    }
    await publisher.end();
    return WAYS.map((way, index) => toRow(way, rates[index] ?? [], cpu[index] ?? []));
  },
};

function toRow({ case: name, leastPerSecond }: Way, rates: readonly number[], cpu: readonly number[]): Row {
  const perSecond = median(rates);
  const reached =
    leastPerSecond === undefined
      ? NO_GOAL
      : goal(
          `≥ ${leastPerSecond.toLocaleString('en-US')} per second`,
          perSecond >= leastPerSecond,
          `${formatCell(perSecond)} per second`,
        );
  return { case: name, 'per second': perSecond, 'CPU µs': median(cpu), ...reached };
}
