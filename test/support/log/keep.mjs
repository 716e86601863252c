// node keep.mjs URL: keeps one value after another, and prints the number of each once it is durable.
import { writeSync } from 'node:fs';
import { openLog } from 'pregon';

const log = await openLog(process.argv[2]);
for (let n = 1; ; n++) {
  await log.kept.put(`key-${n}`, String(n));
  writeSync(1, `${n}\n`);
}
