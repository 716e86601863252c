import { type Log, openLog } from 'pregon';
import { Moments } from '../application/moments.js';
import { PostgresStore } from '../application/postgres-store.js';
import { SqliteStore } from '../application/sqlite-store.js';
import type { Store, StoreRelay } from '../application/store.js';
import { createEvent } from '../events.js';
import { answer } from '../processes/answer.js';
import { numberOf, textOf } from '../processes/messages.js';
import { producing } from './producing.js';

interface Application {
  readonly store: Store;
  readonly log: Log;
  readonly relay: StoreRelay;
  readonly exchange: string;
  readonly eventBytes: number;
}

/** An application that writes to its database and runs its relay. */
let application: Application | undefined;
const moments = new Moments();

/** Runs one transaction after the other. */
async function send(first: number, count: number): Promise<number> {
  if (!application) throw new TypeError('open the application first');
  const { store, exchange, eventBytes } = application;
  for (let number = first; number < first + count; number++) {
    const { id, type, topic, data } = createEvent(number, eventBytes);
    const { began, ended } = await store.change(number, { id, type, topic, data, exchange });
    moments.committing[number] = began;
    moments.committed[number] = ended;
  }
  return 0;
}

answer({
  ...producing({ send }),
  /** Opens the empty database at `database` and the log at `log`, and starts the relay. */
  async open(fields) {
    const exchange = textOf(fields, 'exchange');
    const url = textOf(fields, 'database');
    const file = /^sqlite:(.+)$/s.exec(url)?.[1];
    const store = file === undefined ? await PostgresStore.open(url) : new SqliteStore(file);
    const log = await openLog(textOf(fields, 'log'), { exchanges: [exchange] });
    const relay = store.relay(moments.watch(log));
    relay.start();
    application = { store, log, relay, exchange, eventBytes: numberOf(fields, 'eventBytes') };
    return {};
  },

  moments(fields) {
    return moments.since(numberOf(fields, 'first'));
  },

  async close() {
    await application?.relay.stop();
    await application?.log.close();
    await application?.store.close();
    return {};
  },
});
