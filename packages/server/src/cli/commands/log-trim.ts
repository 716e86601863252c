import { parseBytes, parseDuration } from '../../config/quantities.js';
import type { Retention } from '../../core/ports/retention.js';
import { positionsOf } from '../../logs/secrets/position-codec.js';
import type { Command, Invocation } from '../command.js';
import { chooseLog, findLogDriver, LOG_FLAGS, readConfiguration } from '../log-flags.js';
import { write } from '../terminal/output.js';
import { UsageError } from '../usage-error.js';
import { openExistingLog } from './existing-log.js';

export const logTrim: Command = {
  name: 'log trim',
  summary: 'Drop the oldest events until the log is within the given limits',
  details: ['Without a limit, the limits under "retention" in the configuration apply.'],
  arguments: [],
  flags: {
    'max-count': { kind: 'integer', value: 'N', description: 'keep at most this many events' },
    'max-age': {
      kind: 'text',
      value: 'TIME',
      description: 'keep only events of this age or younger: 30s, 15m, 12h or 7d',
    },
    'max-bytes': {
      kind: 'text',
      value: 'SIZE',
      description: 'keep at most this much payload: 512MB, 2GiB, or a number of bytes',
    },
    ...LOG_FLAGS,
  },
  examples: ['pregon log trim --max-age=7d --max-bytes=512MB'],
  async run(invocation) {
    const configuration = await readConfiguration(invocation);
    const retention = readRetention(invocation) ?? configuration.retention;
    if (!retention) throw new UsageError('no limit is given: add --max-count, --max-age or --max-bytes');
    const url = chooseLog(invocation, configuration);
    const log = await openExistingLog(url, await findLogDriver(url, () => configuration));
    try {
      const { dropped, floor } = await log.trim(retention);
      const position = (await positionsOf(log, configuration.secret)).encode(floor);
      await write(`${dropped} ${dropped === 1 ? 'event' : 'events'} dropped, the floor is ${position}\n`);
    } finally {
      await log.close();
    }
    return 0;
  },
};

/** Undefined if no flag gives a limit. */
function readRetention({ flags }: Invocation): Retention | undefined {
  const maxCount = flags.integer('max-count');
  const maxAgeMs = readQuantity('max-age', flags.text('max-age'), parseDuration, '30s, 15m, 12h or 7d');
  const maxBytes = readQuantity('max-bytes', flags.text('max-bytes'), parseBytes, '512MB or 2GiB');
  if (maxCount === undefined && maxAgeMs === undefined && maxBytes === undefined) return undefined;
  return { maxCount, maxAgeMs, maxBytes };
}

function readQuantity(
  name: string,
  text: string | undefined,
  parse: (text: string) => number | undefined,
  examples: string,
): number | undefined {
  if (text === undefined) return undefined;
  const value = parse(text);
  if (value === undefined) throw new UsageError(`--${name} must be a quantity such as ${examples}, not "${text}"`);
  return value;
}
