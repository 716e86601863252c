import type { PositionCodec } from '../../core/ports/positions.js';
import type { LogInfo, LogMark } from '../../core/ports/retention.js';
import { positionsOf } from '../../logs/secrets/position-codec.js';
import type { Command } from '../command.js';
import { findLog, findLogDriver, findSecret, LOG_FLAGS, readConfiguration } from '../log-flags.js';
import { write } from '../terminal/output.js';
import { openExistingLog } from './existing-log.js';

export const logInfo: Command = {
  name: 'log info',
  summary: 'Show what the log holds',
  arguments: [],
  flags: { json: { kind: 'switch', description: 'print one JSON object' }, ...LOG_FLAGS },
  examples: ['pregon log info --log=sqlite:data/pregon.db'],
  async run(invocation) {
    const url = await findLog(invocation);
    const driver = await findLogDriver(url, () => readConfiguration(invocation));
    const log = await openExistingLog(url, driver);
    try {
      const info = await log.info();
      const positions = await positionsOf(log, await findSecret(invocation));
      const rows = { log: log.name, ...describe(info, positions) };
      await write(invocation.flags.has('json') ? `${JSON.stringify(rows)}\n` : showRows(rows));
    } finally {
      await log.close();
    }
    return 0;
  },
};

function describe({ count, bytes, fileBytes, floor, first, last }: LogInfo, positions: PositionCodec) {
  return {
    events: count,
    payloadBytes: bytes,
    fileBytes,
    floor: positions.encode(floor),
    ...(first ? { first: positions.encode(first.point), firstTime: timeOf(first) } : {}),
    ...(last ? { last: positions.encode(last.point), lastTime: timeOf(last) } : {}),
  };
}

function timeOf({ time }: LogMark): string {
  return new Date(time).toISOString();
}

function showRows(rows: object): string {
  return Object.entries(rows)
    .map(([name, value]) => `${name.padEnd(14)}${value}\n`)
    .join('');
}
