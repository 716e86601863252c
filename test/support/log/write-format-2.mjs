// node write-format-2.mjs CHECKOUT FOLDER: writes the fixture log-format-2.sqlite. CHECKOUT is a working tree of commit
// cb0b95f, built with `npx tsc -b packages/server`: the last release whose logs have format 2.
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const [checkout, folder] = process.argv.slice(2);
const { openLog } = await import(pathToFileURL(join(resolve(checkout), 'packages/server/dist/index.js')).href);

const log = await openLog(`sqlite:${join(folder, 'log-format-2.sqlite')}`);
await log.append([
  {
    specversion: '1.0',
    id: 'event-1',
    source: '/test',
    type: 'WasNumbered',
    topic: 'n.1',
    exchange: 'events',
    data: 1,
  },
]);
await log.kept.put('plain', 'first');
await log.kept.put('line\nbreak, \u0000 and \ud800', 'é');
await log.kept.put('late', 'second', { expiresAt: 4_102_444_800_000 });
await log.kept.put('past', 'third', { expiresAt: 1 });
await log.kept.put('deleted', 'fourth');
await log.kept.delete('deleted');
await log.close();
