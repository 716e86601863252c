import { Child } from '../processes/child.js';
import { startGateway } from '../processes/gateway-process.js';
import { numberOf, seriesOf } from '../processes/messages.js';
import type { Context } from '../question.js';
import type { Installation } from './installation.js';

const EVENT_BYTES = 200;
const INTERVAL_MS = 10;
const WARM_UP_MS = 1_000;
const PATIENCE_MS = 10_000;

/** What lies between the COMMIT of a transaction and the client that its event comes to last, each in microseconds by event. */
export interface CommitLatencies {
  /** Transactions that were written: fewer than were wanted where the machine does not keep up. */
  readonly perSecond: number;
  readonly whole: readonly number[];
  /** COMMIT sent and answered. */
  readonly commit: readonly number[];
  /** Until the relay hands the event to the log: it is told, and reads the outbox. */
  readonly relay: readonly number[];
  /** Until the log says that it is safe. */
  readonly append: readonly number[];
  /** From then to the last client. Below 0 where the client had it before. */
  readonly delivery: readonly number[];
}

/**
 * Runs application, gateway and clients, each a process, and writes 100 transactions a second.
 *
 * @throws Error where an event is missing on any connection, or out of order
 */
export async function measureCommits(
  installation: Installation,
  connections: number,
  context: Context,
): Promise<CommitLatencies> {
  const { database, log, exchange } = installation;
  const application = Child.start('servers/application');
  const load = Child.start('load/client');
  await application.ask('open', { database, log, exchange, eventBytes: EVENT_BYTES });
  const { folder, gatewayArgv: execArgv } = context;
  const { server: gateway, port } = await startGateway({ folder, log, exchange, execArgv });
  // With the subprotocol, which says when a connection is live.
  await load.ask('connect', { port, dialect: 'pregon.v1', query: '', count: connections });
  const write = async (first: number, durationMs: number) => {
    await load.ask('begin', { first, record: 'arrivals' });
    const produced = await application.ask('produce', { first, batch: 1, intervalMs: INTERVAL_MS, durationMs });
    const sent = numberOf(produced, 'sent');
    const got = await load.ask('finish', { events: sent * connections, patienceMs: PATIENCE_MS });
    if (got['events'] !== sent * connections || got['misordered'] !== 0)
      throw new Error(`${JSON.stringify(got)} of ${sent} events to ${connections} connections`);
    return sent;
  };
  const first = 1 + (await write(1, WARM_UP_MS));
  const durationMs = context.quick ? 1_000 : 15_000;
  const written = await write(first, durationMs);
  const arrivals = await load.ask('arrivals');
  // A client may have an event before the relay knows that it is safe.
  await application.ask('close');
  const latencies = between(await application.ask('moments', { first }), arrivals);
  // The clients first: that a gateway goes away is an error to them.
  await load.end();
  await Promise.all([gateway.end(), application.end()]);
  return { ...latencies, perSecond: written / (durationMs / 1_000) };
}

type Answered = Awaited<ReturnType<Child['ask']>>;

function between(application: Answered, load: Answered): Omit<CommitLatencies, 'perSecond'> {
  const [committing, committed, appending, appended] = ['committing', 'committed', 'appending', 'appended'].map(
    (name) => seriesOf(application, name),
  );
  const arrived = seriesOf(load, 'arrivals');
  return {
    whole: difference(committing, arrived),
    commit: difference(committing, committed),
    relay: difference(committed, appending),
    append: difference(appending, appended),
    delivery: difference(appended, arrived),
  };
}

/** @throws RangeError where the two are not of the same events */
function difference(from: readonly number[] = [], to: readonly number[] = []): number[] {
  if (from.length !== to.length) throw new RangeError(`${from.length} moments and ${to.length} of the same events`);
  return to.map((moment, index) => moment - (from[index] ?? Number.NaN));
}
