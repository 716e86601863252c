// node keep.mjs URL: keeps one value after the other, and says the number of each once it is safe.
import { writeSync } from 'node:fs';
import { openLog } from 'pregon';

const log = await openLog(process.argv[2]);
for (let n = 1; ; n++) {
  await log.kept.put(`key-${n}`, String(n));
  writeSync(1, `${n}\n`);
}
