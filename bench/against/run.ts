import { parseArgs } from 'node:util';
import { formatTable } from '../table.js';
import { Checkout, type RunFigures } from './checkout.js';
import { type Interval, ratioInterval } from './interval.js';

const USAGE = `npm run bench:against -- FOLDER [question…] [--pairs=10] [--within=3] [--quick]

Runs the benchmarks of this checkout and of another one (FOLDER, built) in alternating pairs, and prints the cost of
this checkout as a ratio to the cost of the other one. The exit code is 1 if a cost has grown, that is, if the whole
95 % interval of its ratio is above the tolerance.

  question…    names of benchmarks, as for "npm run bench" (default: transports replay memory)
  --pairs=N    number of pairs (default: 10)
  --within=P   the tolerance, in percent (default: 3)
  --quick      shorter rounds in each run`;

interface Options {
  readonly folder: string;
  readonly questions: readonly string[];
  readonly pairs: number;
  readonly mostRatio: number;
  readonly flags: readonly string[];
}

try {
  process.exitCode = (await compare(parseOptions())) ? 0 : 1;
} catch (error) {
  console.error(error instanceof TypeError ? `${error.message}\n\n${USAGE}` : error);
  process.exitCode = 2;
}

/** @returns whether no cost has grown */
async function compare({ folder, questions, pairs, mostRatio, flags }: Options): Promise<boolean> {
  const [here, there] = [new Checkout('.'), new Checkout(folder)];
  const ratios = new Map<string, number[]>();
  for (let pair = 1; pair <= pairs; pair++) {
    // The two alternate in going first, so that effects of the first run on the second hit both equally.
    const order = pair % 2 === 0 ? [here, there] : [there, here];
    const results = new Map<Checkout, RunFigures>();
    for (const checkout of order) results.set(checkout, await checkout.ask(questions, flags));
    collect(ratios, results.get(here), results.get(there));
    console.error(`pair ${pair} of ${pairs} is done`);
  }
  const intervals = [...ratios].map(([what, all]) => ({ what, pairs: all.length, ...ratioInterval(all) }));
  const grew = (one: Interval) => one.low > mostRatio;
  console.log(
    formatTable(
      intervals.map((one) => ({
        what: one.what,
        pairs: one.pairs,
        ratio: one.ratio,
        'from (95 %)': one.low,
        to: one.high,
        verdict: grew(one) ? 'grew' : one.high < 1 ? 'fell' : 'holds',
      })),
    ),
  );
  return !intervals.some(grew);
}

function collect(ratios: Map<string, number[]>, here: RunFigures | undefined, there: RunFigures | undefined): void {
  for (const [about, costs] of here ?? []) {
    for (const [column, cost] of costs) {
      const other = there?.get(about)?.get(column);
      if (other === undefined) continue;
      const key = `${about}: ${column}`;
      ratios.set(key, [...(ratios.get(key) ?? []), cost / other]);
    }
  }
}

/** @throws TypeError if an argument is missing or unknown */
function parseOptions(): Options {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      pairs: { type: 'string', default: '10' },
      within: { type: 'string', default: '3' },
      quick: { type: 'boolean', default: false },
    },
  });
  const [folder, ...questions] = positionals;
  const [pairs, within] = [Number(values.pairs), Number(values.within)];
  if (folder === undefined) throw new TypeError('FOLDER is missing: give the folder of the checkout to compare with');
  if (!Number.isSafeInteger(pairs) || pairs < 2) throw new TypeError('--pairs must be a whole number of at least 2');
  if (!Number.isFinite(within) || within < 0) throw new TypeError('--within must be a percentage of at least 0');
  return {
    folder,
    questions: questions.length > 0 ? questions : ['transports', 'replay', 'memory'],
    pairs,
    mostRatio: 1 + within / 100,
    flags: values.quick ? ['--quick'] : [],
  };
}
