import { Child } from '../processes/child.js';
import { type Figures, numberOf } from '../processes/messages.js';
import { type Context, type GoalLine, goals, type Question, type Row } from '../question.js';
import { median } from '../statistics.js';
import { formatCell } from '../table.js';
import { newLogUrl } from './sides.js';

const EVENT_BYTES = 200;
const RETURNING = 5_000;
const MISSED = 100;
const ASKING = 1_000;

/** The number of present connections (open before the storm), and the interval of their events. */
const PRESENT = 100;
const INTERVAL_MS = 10;
const QUIET_MS = 2_000;

/** The first number of the events for present connections, above all numbers of missed events. */
const FIRST_TICK = 1_000_000;

const PATIENCE_MS = 30_000;

const LEAST_RESUMED = 3_000;
const MOST_DELAY = 2;

type CaseName = 'window' | 'log' | 'snapshot';

interface Case {
  readonly name: CaseName;
  readonly what: string;
  /** The protocols of the returning clients. */
  readonly dialects: readonly ('plain' | 'pregon.v1' | 'snapshot')[];
  readonly count: number;
  readonly historyBytes: number;
}

const CASES: readonly Case[] = [
  {
    name: 'window',
    what: `${MISSED} events behind, in memory`,
    dialects: ['plain', 'pregon.v1'],
    count: RETURNING,
    historyBytes: 16_777_216,
  },
  {
    name: 'log',
    what: `${MISSED} events behind, in the log`,
    dialects: ['plain', 'pregon.v1'],
    count: RETURNING,
    // About thirty events.
    historyBytes: 16_384,
  },
  { name: 'snapshot', what: 'a snapshot', dialects: ['snapshot'], count: ASKING, historyBytes: 16_777_216 },
];

interface Storm {
  readonly perSecond: number;
  readonly perCpuSecond: number;
  readonly answeredP50: number;
  readonly answeredMax: number;
  readonly reads: number;
  /** Reads of ranges that had been read before. */
  readonly readAgain: number;
  readonly checks: number;
  readonly snapshots: number;
  readonly quietP99: number;
  readonly stormP99: number;
  readonly longestTurn: number;
}

export const storm: Question = {
  name: 'storm',
  title: `${RETURNING} connections that all come back at once, beside ${PRESENT} that get ${1_000 / INTERVAL_MS} events a second`,
  cases: CASES.map(({ name }) => name),
  async answer(context) {
    const wanted = CASES.filter(({ name }) => context.cases.length === 0 || context.cases.includes(name));
    const rows: Row[] = [];
    for (const one of wanted) {
      for (const dialect of one.dialects) {
        const storms: Storm[] = [];
        const square = await Square.open(one, context);
        for (let round = 0; round < (context.quick ? 1 : 3); round++) {
          context.progress(`storm, round ${round + 1}: ${dialect}, ${one.what}`);
          storms.push(await square.storm(one, dialect));
        }
        await square.close();
        rows.push(toRow(one, dialect, storms));
      }
    }
    return rows;
  },
};

/** A gateway with the present connections. */
class Square {
  readonly #publisher = Child.start('servers/storm-publisher');
  readonly #present = Child.start('load/client');
  readonly #returning = Child.start('load/storm');
  readonly #gateway: Child;
  readonly #port: number;
  #nextMissed = 1;
  #nextTick = FIRST_TICK;

  static async open({ historyBytes }: Case, context: Context): Promise<Square> {
    const log = newLogUrl(context);
    const gateway = Child.start('servers/storm-gateway', context.gatewayArgv);
    const port = numberOf(await gateway.ask('listen', { log, historyBytes }), 'port');
    const square = new Square(gateway, port);
    await square.#publisher.ask('open', { log, eventBytes: EVENT_BYTES });
    const query = `?topics=${encodeURIComponent('tick.#')}`;
    await square.#present.ask('connect', { port, dialect: 'plain', query, count: PRESENT });
    return square;
  }

  private constructor(gateway: Child, port: number) {
    this.#gateway = gateway;
    this.#port = port;
  }

  /** @throws Error if a client misses an event */
  async storm({ count }: Case, dialect: string): Promise<Storm> {
    const snapshot = dialect === 'snapshot';
    const first = this.#nextMissed;
    const missed = snapshot ? 0 : MISSED;
    await this.#returning.ask('mark', { port: this.#port });
    if (missed > 0) await this.#publisher.ask('append', { topic: 'price.1.set', first, count: missed });
    this.#nextMissed += missed;
    const quiet = await this.#tick(() => new Promise((resolve) => setTimeout(resolve, QUIET_MS)));
    const before = await this.#costs();
    let got: Figures = {};
    let after: Figures = {};
    const during = await this.#tick(async () => {
      const port = this.#port;
      got = await this.#returning.ask('storm', { port, dialect, count, first, missed, patienceMs: PATIENCE_MS });
      after = await this.#costs();
    });
    if (got['misordered'] !== 0 || got['events'] !== count * missed)
      throw new Error(`storm: ${JSON.stringify(got)}, but expected ${missed} events to each of ${count}`);
    await this.#returning.ask('disconnect');
    await this.#emptied();
    const used = (what: string) => numberOf(after, what) - numberOf(before, what);
    return {
      perSecond: count / (numberOf(got, 'elapsedMs') / 1_000),
      perCpuSecond: count / (used('cpuMicros') / 1e6),
      answeredP50: numberOf(got, 'answeredP50Ms'),
      answeredMax: numberOf(got, 'answeredMaxMs'),
      reads: used('reads'),
      readAgain: used('readAgain'),
      checks: used('checks'),
      snapshots: used('snapshots'),
      quietP99: numberOf(quiet, 'p99Micros') / 1_000,
      stormP99: numberOf(during, 'p99Micros') / 1_000,
      longestTurn: numberOf(after, 'longestTurnMs'),
    };
  }

  async close(): Promise<void> {
    await Promise.all([this.#publisher, this.#present, this.#returning, this.#gateway].map((child) => child.end()));
  }

  /**
   * Sends events to the present connections during `work`, and measures the delay on the connection that is written to
   * last.
   */
  async #tick(work: () => Promise<void>): Promise<Figures> {
    const first = this.#nextTick;
    await this.#present.ask('begin', { first, record: 'latencies' });
    const ticking = this.#publisher.ask('tick', { topic: 'tick.1.set', first, intervalMs: INTERVAL_MS });
    await work();
    await this.#publisher.ask('stop');
    const sent = numberOf(await ticking, 'sent');
    this.#nextTick += sent;
    const got = await this.#present.ask('finish', { events: sent * PRESENT, patienceMs: PATIENCE_MS });
    if (got['events'] !== sent * PRESENT || got['misordered'] !== 0)
      throw new Error(`present connections: ${JSON.stringify(got)}, but expected ${sent} events to each of ${PRESENT}`);
    return got;
  }

  async #costs(): Promise<Figures> {
    const [asked, cpu] = await Promise.all([this.#gateway.ask('asked'), this.#gateway.ask('cpu')]);
    return { ...asked, ...cpu };
  }

  async #emptied(): Promise<void> {
    while (numberOf(await this.#gateway.ask('connections'), 'count') > PRESENT)
      await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

function toRow({ name, what, count }: Case, dialect: string, storms: readonly Storm[]): Row {
  const of = (value: (one: Storm) => number) => median(storms.map(value));
  const perSecond = of((one) => one.perSecond);
  const [quiet, during] = [of((one) => one.quietP99), of((one) => one.stormP99)];
  const [perCpuSecond, snapshots, reads] = [
    of((one) => one.perCpuSecond),
    of((one) => one.snapshots),
    of((one) => one.reads),
  ];
  return {
    case: name,
    clients: `${count} ${name === 'snapshot' ? 'pregon.v1' : dialect}`,
    'come back for': what,
    'per second': perSecond,
    'per CPU-second': perCpuSecond,
    'answered p50 ms': of((one) => one.answeredP50),
    'answered last ms': of((one) => one.answeredMax),
    'reads of the log': reads,
    checks: of((one) => one.checks),
    snapshots,
    'p99 of those there, ms': during,
    'quiet ms': quiet,
    'longest turn ms': of((one) => one.longestTurn),
    ...goalsOf(name, { perCpuSecond, snapshots, readAgain: of((one) => one.readAgain), delay: during / quiet }),
  };
}

interface Reached {
  readonly perCpuSecond: number;
  readonly snapshots: number;
  readonly readAgain: number;
  /** The delay of the present connections, as a multiple of their delay before the storm. */
  readonly delay: number;
}

function goalsOf(name: CaseName, { perCpuSecond, snapshots, readAgain, delay }: Reached): ReturnType<typeof goals> {
  const served: GoalLine = {
    goal: `≥ ${LEAST_RESUMED.toLocaleString('en-US')} resumed per CPU-second`,
    measured: formatCell(Math.round(perCpuSecond)),
    met: perCpuSecond >= LEAST_RESUMED,
  };
  const calm: GoalLine = {
    goal: `p99 of those there ≤ ${MOST_DELAY} × quiet`,
    measured: `${formatCell(delay)} ×`,
    met: delay <= MOST_DELAY,
  };
  if (name === 'snapshot')
    return goals([{ goal: 'one snapshot for all', measured: `${snapshots}`, met: snapshots === 1 }]);
  const reads: GoalLine[] = [
    { goal: 'no read of the application’s database', measured: `${snapshots}`, met: snapshots === 0 },
    { goal: 'one read of the log per range', measured: `${readAgain} ranges read again`, met: readAgain === 0 },
  ];
  return goals([served, ...reads, calm]);
}
