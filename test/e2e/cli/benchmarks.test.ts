import { once } from 'node:events';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { WebSocketServer } from 'ws';
import { createPositioned } from '../../../bench/events.js';
import { cadenceOf } from '../../../bench/load/cadence.js';
import { LoadConnection } from '../../../bench/load/connection.js';
import { dialectOf } from '../../../bench/load/dialect.js';
import { Tally } from '../../../bench/load/tally.js';
import { findBunIn } from '../../../bench/processes/bun.js';
import { goal, goals, type Question } from '../../../bench/question.js';
import { renderChart } from '../../../bench/report/chart.js';
import { writeDocument } from '../../../bench/report/document.js';
import { goalRows } from '../../../bench/report/goals.js';
import { audienceSizes, spreadOf } from '../../../bench/spread.js';
import { temporaryFolder } from '../../support/cleanup.js';
import { byLength, isLong } from '../../support/long.js';
import { type RunningProcess, startProcess } from '../../support/processes.js';
import { eventually } from '../../support/waiting.js';

const RUN = 'bench/dist/run.js';

/** A quick run of everything takes two minutes on two free cores. */
const QUICK_RUN_MS = 900_000;

/** The questions that take only seconds: one about a log alone, one that compares servers, one about a single gateway. */
const ASKED = byLength({ quick: ['append', 'fanout.paced'], check: ['append', 'fanout.paced', 'replay'], long: [] });
const WITH_GOALS = byLength({
  quick: ['append', 'fanout'],
  check: ['append', 'fanout', 'replay'],
  long: ['append', 'fanout', 'socketio', 'topics', 'replay', 'memory'],
});
const FANOUT_CASES = isLong ? ['paced', 'paced10', 'burst', 'saturated'] : ['paced'];

interface Answers {
  readonly about: Record<string, string>;
  readonly results: Record<string, readonly Record<string, string | number | null>[]>;
  readonly goals: readonly Record<string, string>[];
  readonly failures: Record<string, string>;
}

describe('npm run bench', () => {
  it(
    `answers ${isLong ? 'every question' : ASKED.join(', ')} in quick mode, and shows what it leaves out`,
    async () => {
      const { code, stdout, stderr } = await startProcess([RUN, '--quick', '--json', ...ASKED]).exited;
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      const { about, results, goals: lines, failures }: Answers = JSON.parse(stdout);
      expect(failures).toEqual({});
      expect(Object.keys(about)).toEqual(expect.arrayContaining(['machine', 'node', 'libraries', 'commit', 'load']));
      for (const [question, rows] of Object.entries(results)) {
        expect(rows.length, question).toBeGreaterThan(0);
        expect(new Set(rows.map((row) => Object.keys(row).join())).size, `columns of ${question}`).toBe(1);
      }
      const bun = results['fanout']?.filter(({ server }) => String(server).startsWith('bun')) ?? [];
      expect(bun.map((row) => row['case'])).toEqual(FANOUT_CASES);
      for (const row of bun) {
        if (row['µs'] === null) expect(row['server']).toMatch(/^bun: skipped: .+/);
        else expect(row['µs']).toBeGreaterThan(0);
      }
      const questions = new Set(lines.map((line) => line['case']?.split(',')[0]));
      expect([...questions]).toEqual(expect.arrayContaining(WITH_GOALS));
      for (const { goal: text, measured, met } of lines) {
        expect([text, measured]).not.toContain('');
        expect(['yes', '**no**', 'not measured']).toContain(met);
      }
    },
    QUICK_RUN_MS,
  );

  it('lists the questions if it is asked for an unknown one', async () => {
    const unknown = await startProcess([RUN, 'fanout.paved']).exited;
    expect(unknown.code).toBe(1);
    expect(unknown.stderr).toMatch(/there is no benchmark "fanout\.paved"; the benchmarks are .*fanout\.paced/);
    const part = await startProcess([RUN, 'append', '--write']).exited;
    expect(part.stderr).toContain('--write works only for a run of everything');
  });

  it('leaves no process and no file behind after Ctrl-C', async () => {
    const folder = temporaryFolder();
    const run = startProcess([RUN, 'fanout'], { env: { TMPDIR: folder } });
    const started = await eventually(
      () => descendants(run),
      (all) => all.length > 6,
      60_000,
    );
    const { code } = await run.kill('SIGINT');
    expect(code).toBe(130);
    await eventually(
      () => started.filter(isRunning),
      (left) => left.length === 0,
    );
    expect(readdirSync(folder)).toEqual([]);
  });
});

describe('The load client', () => {
  it.each([
    ['all events in order', [1, 2, 3, 4], 0],
    ['one missing event', [1, 2, 4], 1],
    ['one repeated event', [1, 2, 2, 3], 2],
    ['two swapped events', [1, 3, 2, 4], 2],
  ])('detects on a connection: %s', async (_, numbers, misordered) => {
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
    const texts = numbers.map((number) => JSON.stringify(createPositioned(number, 200)));
    server.on('connection', (client) => {
      for (const text of texts) client.send(text);
    });
    await once(server, 'listening');
    const tally = new Tally();
    const address = server.address();
    const port = typeof address === 'object' && address ? address.port : 0;
    const cadence = cadenceOf(spreadOf('one'), 0);
    const connection = new LoadConnection({
      port,
      dialect: dialectOf('plain'),
      query: '',
      cadence,
      tally,
      thorough: false,
    });
    connection.expect(1);
    await eventually(
      () => tally.events,
      (events) => events === numbers.length,
    );
    expect(tally).toMatchObject({ misordered, bytes: texts.join('').length });
    connection.close();
    server.close();
  });

  it.each(['one', 'the same ten', 'neighbours', 'random', 'one each', 'wildcards'])(
    'expects exactly the events of each subscription in the spread "%s"',
    (name) => {
      const spread = spreadOf(name);
      const sizes = audienceSizes(spread, 1_000);
      for (const connection of [0, 7, 991, 999]) {
        const { from, steps } = cadenceOf(spread, connection);
        for (const first of [1, 990, 1_000, 12_345]) {
          const wanted = Array.from({ length: 5_000 }, (_, index) => first + index).filter((number) =>
            spread.wants(connection, number),
          );
          let { number, place } = from(first);
          const expected = wanted.map(() => {
            const now = number;
            number += steps[place++ % steps.length] ?? 0;
            return now;
          });
          expect(expected).toEqual(wanted);
          for (const one of wanted) expect(sizes[one % sizes.length]).toBeGreaterThan(0);
        }
      }
    },
  );
});

describe('The report of a benchmark run', () => {
  const question: Question = { name: 'speed', title: 'How fast', cases: [], answer: async () => [] };
  const rows = [
    { case: 'paced', µs: 5, ...goal('≤ 6 µs', true, '5 µs') },
    {
      case: 'burst',
      µs: 2,
      ...goals([
        { goal: '≤ 1 µs', measured: '2 µs', met: false },
        { goal: '≤ 1 × bun', measured: 'bun: skipped: why', met: undefined },
      ]),
    },
  ];

  it('has one line for each goal, with the measured value beside it', () => {
    expect(goalRows([question], { speed: rows })).toEqual([
      { case: 'speed, paced', goal: '≤ 6 µs', measured: '5 µs', met: 'yes' },
      { case: 'speed, burst', goal: '≤ 1 µs', measured: '2 µs', met: '**no**' },
      { case: 'speed, burst', goal: '≤ 1 × bun', measured: 'bun: skipped: why', met: 'not measured' },
    ]);
  });

  it('is written between the marks of the document, and leaves the rest alone', () => {
    const folder = `${temporaryFolder()}/`;
    const path = join(folder, 'benchmarks.md');
    const marks = readFileSync('docs/development/benchmarks.md', 'utf8').match(/<!-- \/?measured.*-->/g) ?? [];
    expect(marks).toHaveLength(2);
    writeFileSync(path, `# Before\n\n${marks.join('\nof another run\n')}\n\n# After\n`);
    const memory = [{ server: 'ws', 'bytes per connection': 6_881 }];
    writeDocument({ date: '2026-11-20 17:00', machine: 'this one' }, [question], { speed: rows, memory }, folder);
    const written = readFileSync(path, 'utf8');
    expect(written).toMatch(/^# Before\n\n<!-- measured.*<!-- \/measured -->\n\n# After\n$/s);
    expect(written).toContain('## Measured on 2026-11-20');
    expect(written).toContain('- machine: this one');
    expect(written).toContain('| speed, burst | ≤ 1 × bun | bun: skipped: why | not measured |');
    expect(written).toContain('](charts/memory.svg)');
    expect(written).not.toContain('of another run');
    expect(readdirSync(join(folder, 'charts'))).toEqual(['memory.svg']);
  });

  it.each(['log', 'linear'] as const)(
    'has a chart with a name, a value and a bar for each server, on a %s scale, with legible text',
    (scale) => {
      const bars = [
        { label: 'pregon <1>', value: 0.05, ours: true },
        { label: 'ws', value: 7.5, ours: false },
      ];
      const svg = renderChart({
        name: 'cost',
        title: 'Cost & more',
        axis: 'CPU time, µs',
        unit: 'µs',
        scale,
        groups: [{ label: 'paced', bars }],
      });
      for (const text of ['Cost &amp; more', 'paced', 'pregon &lt;1&gt;', '0.050 µs', '7.50 µs', 'CPU time, µs'])
        expect(svg).toContain(`>${text}</`);
      const widths = [...svg.matchAll(/<rect class="(?:ours|peer)"[^>]* width="([\d.]+)"/g)].map(([, width]) =>
        Number(width),
      );
      expect(widths).toHaveLength(2);
      expect(widths[0]).toBeLessThan(widths[1] ?? 0);
      for (const [, size] of svg.matchAll(/(?:font: |font-size: )(\d+)px/g))
        expect(Number(size)).toBeGreaterThanOrEqual(12);
    },
  );

  it('says how to install a missing peer', () => {
    expect(findBunIn(`${temporaryFolder()}/`)).toEqual({ missing: 'not installed: npm run bench:peers' });
  });
});

/** The processes that this process started, directly or indirectly. */
function descendants({ pid }: RunningProcess): number[] {
  const parents = new Map<number, number>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      parents.set(Number(name), Number(readFileSync(`/proc/${name}/stat`, 'utf8').split(') ')[1]?.split(' ')[1]));
    } catch {
      // It has ended meanwhile.
    }
  }
  const found: number[] = [];
  for (const [child] of parents) {
    let at: number | undefined = parents.get(child);
    while (at !== undefined && at !== pid) at = parents.get(at);
    if (at === pid) found.push(child);
  }
  return found;
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
