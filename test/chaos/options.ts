import { parseArgs } from 'node:util';

export interface Options {
  readonly mode: 'embedded' | 'broker';
  /** How long faults are injected, in milliseconds. */
  readonly durationMs: number;
  readonly seed: number;
  /** Transactions per second that the application begins; each makes about 1.7 events. */
  readonly rate: number;
  /** Whether to keep the folder of the run even if nothing was found. */
  readonly keep: boolean;
}

export const USAGE = `npm run chaos -- [--minutes=1.5] [--mode=embedded|broker] [--seed=N] [--rate=90] [--keep]

  --minutes=N   how long faults are injected
  --mode=MODE   embedded: SQLite for rows and log; broker: PostgreSQL for rows, RabbitMQ for the log
  --seed=N      repeats a schedule of faults
  --rate=N      transactions per second
  --keep        keeps the folder with logs, databases and journals of all clients (always kept after a finding)`;

/** @throws TypeError if an option is unknown or has an invalid value */
export function parseOptions(args: readonly string[], randomSeed: () => number): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      minutes: { type: 'string', default: '1.5' },
      mode: { type: 'string', default: 'embedded' },
      seed: { type: 'string' },
      rate: { type: 'string', default: '90' },
      keep: { type: 'boolean', default: false },
    },
  });
  const { mode } = values;
  if (mode !== 'embedded' && mode !== 'broker') throw new TypeError(`--mode must be embedded or broker, not ${mode}`);
  return {
    mode,
    durationMs: positive('minutes', values.minutes) * 60_000,
    seed: values.seed === undefined ? randomSeed() : positive('seed', values.seed),
    rate: positive('rate', values.rate),
    keep: values.keep,
  };
}

function positive(name: string, text: string): number {
  const value = Number(text);
  if (Number.isFinite(value) && value > 0) return value;
  throw new TypeError(`--${name} must be a number above 0, not ${JSON.stringify(text)}`);
}
