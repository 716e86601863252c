import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks';
import { createGateway, type Gateway, openLog } from 'pregon';
import { answer } from '../processes/answer.js';
import { numberOf, textOf } from '../processes/messages.js';
import { type Asked, countLog } from './counted-log.js';

/** How long the application's database takes for a snapshot, and how many rows it returns. */
const SNAPSHOT_MS = 50;
const ROWS = 20;

let gateway: Gateway | undefined;
let asked: Asked | undefined;
let snapshots = 0;
let turns: IntervalHistogram | undefined;

/** The application's snapshot; counts its calls. */
async function snapshot(): Promise<{ rows: unknown[]; sequence: number }> {
  snapshots += 1;
  await new Promise((resolve) => setTimeout(resolve, SNAPSHOT_MS));
  return { rows: Array.from({ length: ROWS }, (_, id) => ({ id, name: `row ${id}` })), sequence: 0 };
}

answer({
  /** Starts a complete gateway on the log at `log`, with a history window of `historyBytes`. */
  async listen(fields) {
    const counted = countLog(await openLog(textOf(fields, 'log'), { exchanges: ['bench'] }));
    asked = counted.asked;
    gateway = await createGateway({
      log: counted.log,
      exchanges: ['bench'],
      routes: { events: { path: '/events', snapshot } },
      historyBytes: numberOf(fields, 'historyBytes'),
    });
    const { port } = await gateway.listen({ port: 0 });
    turns = monitorEventLoopDelay({ resolution: 1 });
    turns.enable();
    return { port };
  },

  connections() {
    return { count: gateway?.connections('events').count ?? 0 };
  },

  /** The calls of log and database so far, and the longest event loop turn since the last call. */
  asked() {
    const longestTurnMs = (turns?.max ?? 0) / 1e6;
    turns?.reset();
    return { ...asked, snapshots, longestTurnMs };
  },
});
