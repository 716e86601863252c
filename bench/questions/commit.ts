import { Child } from '../processes/child.js';
import { startGateway } from '../processes/gateway-process.js';
import { numberOf, seriesOf } from '../processes/messages.js';
import type { Context } from '../question.js';
import type { Installation } from './installation.js';

const EVENT_BYTES = 200;
const INTERVAL_MS = 10;
const WARM_UP_MS = 1_000;
const PATIENCE_MS = 10_000;

/**
 * The parts of the time from the COMMIT of a transaction to the last client that gets its event, in microseconds per
 * event.
 */
export interface CommitLatencies {
  /** Written transactions per second: fewer than requested if the machine is too slow. */
  readonly perSecond: number;
  readonly whole: readonly number[];
  /** From sending COMMIT to its answer. */
  readonly commit: readonly number[];
  /** Until the relay passes the event to the log: it is notified, then reads the outbox. */
  readonly relay: readonly number[];
  /** Until the log confirms that the event is durable. */
  readonly append: readonly number[];
  /** From then to the last client; negative if the client had the event before the confirmation. */
  readonly delivery: readonly number[];
}

/**
 * Runs application, gateway and clients, each a process, and writes 100 transactions a second.
 *
 * @throws Error if an event is missing on any connection, or out of order
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
  // With the subprotocol, because it reports when a connection is live.
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
  // Close first: a client may have an event before the relay has the log's confirmation.
  await application.ask('close');
  const latencies = between(await application.ask('moments', { first }), arrivals);
  // End the clients first, because a closed gateway is an error for them.
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

/** @throws RangeError if the two lists have different lengths */
function difference(from: readonly number[] = [], to: readonly number[] = []): number[] {
  if (from.length !== to.length)
    throw new RangeError(`there are ${from.length} start times but ${to.length} end times for the same events`);
  return to.map((moment, index) => moment - (from[index] ?? Number.NaN));
}
