import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Random } from '../random.js';
import { SECRET_FILE } from '../rights.js';
import { newcomer, permanentCast } from './cast.js';
import type { Surroundings } from './followers/follower.js';
import { KnownEvents } from './known-events.js';
import { Newcomers } from './newcomers.js';
import { type ClientsReport, type ClientsSettings, isClientsOrder } from './settings.js';
import { Slowness } from './slowness.js';
import { User } from './users/user.js';

// All clients of a run. This process is never killed, because it is the witness.
const REPORT_MS = 250;

const { gatewayPorts, folder, seed }: ClientsSettings = JSON.parse(process.argv[2] ?? '{}');
const random = new Random(seed, 'clients');
const secret = readFileSync(join(folder, SECRET_FILE));
const users: User[] = [];
const known = new KnownEvents(random);
const around: Surroundings = {
  folder,
  random,
  url: (scheme, path) => new URL(`${scheme}://127.0.0.1:${random.pick(gatewayPorts)}${path}`),
  user: (name, rights) => {
    const user = new User({ name, rights }, secret, random);
    users.push(user);
    return user;
  },
  seen: (event) => known.add(event),
};

const permanent = permanentCast(around);
const slowness = permanent.slow.map((open) => new Slowness(open, random));
const newcomers = new Newcomers((name) => newcomer(name, known.any(), around), random);
let settled = false;

process.on('message', (message) => {
  if (isClientsOrder(message)) void settle();
});
// At the end, all journals and rows are written.
process.on('SIGTERM', () => void finish());
process.on('disconnect', () => process.exit());
process.on('SIGINT', () => undefined);

setInterval(report, REPORT_MS);

async function settle(): Promise<void> {
  for (const slow of slowness) slow.end();
  await newcomers.settle();
  for (const user of users) user.settle();
  settled = true;
}

async function finish(): Promise<void> {
  const all = [...permanent.followers, ...newcomers.followers];
  for (const follower of all) follower.close();
  await Promise.all(all.map((follower) => follower.written(false)));
  process.exit();
}

function report(): void {
  const state: ClientsReport = {
    followers: [...permanent.followers, ...newcomers.followers].map((follower) => follower.report()),
    gone: newcomers.gone,
    pauses: slowness.reduce((sum, { pauses }) => sum + pauses, 0),
    settled,
  };
  process.send?.(state);
}
