// node append.mjs PATH SOURCE COUNT GROUP [EXCHANGE]: appends COUNT events in groups, and prints the number of each
// once it is durable. With EXCHANGE, each event has a separate exchange: that name and its number.
import { writeSync } from 'node:fs';
import { encodeSequence } from '@pregon/protocol';
import { openSqliteLog } from '../../../packages/server/dist/logs/sqlite/sqlite-log.js';

const [path, source, count, group, exchange] = process.argv.slice(2);
const log = await openSqliteLog(path, { busyTimeoutMs: 20_000 });
for (let first = 1; first <= Number(count); first += Number(group)) {
  const last = Math.min(first + Number(group) - 1, Number(count));
  const events = [];
  for (let n = first; n <= last; n++) {
    events.push({
      specversion: '1.0',
      id: `${source}-${n}`,
      source,
      type: 'NumberWasSaid',
      topic: `number.${n}.said`,
      exchange: exchange === undefined ? 'numbers' : `${exchange} ${n}`,
      sequence: encodeSequence(n),
      data: { n },
    });
  }
  await log.append(events);
  writeSync(1, `${last}\n`);
}
await log.close();
