import type { ConnectionTarget } from './clients/connection.js';
import { MIN_DATA_BYTES } from './numbered-event.js';

/** The options of a run. */
export interface LoadOptions {
  readonly target: ConnectionTarget;
  readonly connections: number;
  /** Connections opened per second. */
  readonly connectRate: number;
  /** Patterns, see {@link TopicPlanOptions}; empty for all that the route carries. */
  readonly topics: readonly string[];
  readonly topicsPerConnection?: number | undefined;
  readonly publishTopics?: readonly string[] | undefined;
  /** How long to measure, from the time when all connections are open. */
  readonly durationMs: number;
  /** Events published per second. */
  readonly rate: number;
  /** Bytes of each event's data. */
  readonly size: number;
  /** Whether all connections are dropped and resumed halfway through. */
  readonly storm: boolean;
}

interface Limit {
  readonly flag: string;
  readonly least: number;
  readonly most: number;
}

const LIMITS = {
  connections: { flag: '--connections', least: 1, most: 100_000 },
  connectRate: { flag: '--connect-rate', least: 1, most: 100_000 },
  rate: { flag: '--rate', least: 1, most: 1_000_000 },
  size: { flag: '--size', least: MIN_DATA_BYTES, most: 1_000_000 },
  topicsPerConnection: { flag: '--topics-per-connection', least: 1, most: 1_000 },
} as const satisfies Record<string, Limit>;

const MIN_DURATION_MS = 100;
const MAX_DURATION_MS = 7 * 86_400_000;

const MAX_HANDSHAKE_TIMEOUT_MS = 3_600_000;

/** @throws RangeError with the flag, its limits and the given value */
export function checkOptions(options: LoadOptions): void {
  for (const name of Object.keys(LIMITS).filter(isLimited)) {
    const { flag, least, most } = LIMITS[name];
    const value = options[name];
    if (value !== undefined && !(Number.isSafeInteger(value) && value >= least && value <= most)) {
      throw new RangeError(`${flag} must be between ${least} and ${most}, not ${value}`);
    }
  }
  if (!(options.durationMs >= MIN_DURATION_MS && options.durationMs <= MAX_DURATION_MS)) {
    throw new RangeError(`--duration must be between ${MIN_DURATION_MS}ms and 7d`);
  }
  const { handshakeTimeoutMs } = options.target;
  if (!(handshakeTimeoutMs > 0 && handshakeTimeoutMs <= MAX_HANDSHAKE_TIMEOUT_MS)) {
    throw new RangeError('--handshake-timeout must be between 1ms and 1h');
  }
}

function isLimited(name: string): name is keyof typeof LIMITS {
  return Object.hasOwn(LIMITS, name);
}
