// node write-format-1.mjs CHECKOUT FOLDER: writes the fixture log-format-1.sqlite, and beside it the points of its
// events. CHECKOUT is a working tree of commit 336f131, built with `npx tsc -b packages/server`: the last release whose
// logs have format 1.
import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const [checkout, folder] = process.argv.slice(2);
const load = (path) => import(pathToFileURL(join(resolve(checkout), path)).href);
const { encodePosition } = await load('packages/protocol/dist/index.js');
const { openSqliteLog } = await load('packages/server/dist/log/sqlite.js');

const path = join(folder, 'log-format-1.sqlite');
const log = await openSqliteLog(path);
const birth = await log.floor();
const events = Array.from({ length: 8 }, (_, index) => ({
  specversion: '1.0',
  id: `event-${index + 1}`,
  source: index % 2 === 0 ? '/even' : '/odd',
  type: 'WasNumbered',
  topic: `n.${index + 1}`,
  exchange: index === 6 ? 'others' : 'events',
  sequence: String(index + 1).padStart(20, '0'),
  ...(index % 4 === 3
    ? {}
    : {
        time: `2026-01-0${index + 1}T00:00:00.000Z`,
        subject: `number/${index + 1} "é"`,
        traceparent: `00-0af7651916cd43dd8448eb211c80319c-b7ad6b716920333${index}-01`,
      }),
  data: { n: index + 1, text: 'line\nbreak, \u0000 and \ud800' },
}));
const points = await log.append(events);
await log.trim({ maxCount: 6 });
const floor = await log.floor();
await log.close();
const about = { birth, floor, points, positions: points.map(encodePosition), events };
writeFileSync(join(folder, 'log-format-1.json'), `${JSON.stringify(about, undefined, 2)}\n`);
