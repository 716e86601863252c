import { Child } from '../processes/child.js';
import { numberOf } from '../processes/messages.js';
import { goal, NO_GOAL, type Question, type Row } from '../question.js';
import { median } from '../statistics.js';
import { formatCell } from '../table.js';
import { cpuMicros, newLogUrl } from './sides.js';

const EVENT_BYTES = 500;

interface Replay {
  readonly perSecond: number;
  readonly serverMicros: number;
  readonly clientMicros: number;
}

export const replay: Question = {
  name: 'replay',
  title: `The whole log, events of ${EVENT_BYTES} bytes, to a connection that asks for since=first`,
  cases: [],
  async answer(context) {
    const events = context.quick ? 30_000 : 100_000;
    const log = newLogUrl(context);
    const publisher = Child.start('servers/publisher');
    context.progress(`replay: appending ${events} events`);
    await publisher.ask('open', { log, eventBytes: EVENT_BYTES });
    const bytes = numberOf(await publisher.ask('fill', { first: 1, count: events }), 'bytes');
    await publisher.end();
    // Start the gateway after the append, so that its memory holds none of these events.
    const gateway = Child.start('servers/gateway', context.gatewayArgv);
    const load = Child.start('load/client');
    const port = numberOf(await gateway.ask('listen', { log }), 'port');
    const rows: Row[] = [];
    for (const connections of [1, 10]) {
      const replays: Replay[] = [];
      for (let round = 0; round < (context.quick ? 2 : 5); round++) {
        context.progress(`replay to ${connections}, round ${round + 1}`);
        replays.push(await playReplay({ gateway, load, port, connections, events, bytes }));
      }
      rows.push(toRow(connections, events, replays));
    }
    await Promise.all([gateway.end(), load.end()]);
    return rows;
  },
};

interface Setup {
  readonly gateway: Child;
  readonly load: Child;
  readonly port: number;
  readonly connections: number;
  readonly events: number;
  readonly bytes: number;
}

async function playReplay({ gateway, load, port, connections, events, bytes }: Setup): Promise<Replay> {
  await load.ask('begin', { first: 1, record: 'nothing' });
  const [serverBefore, clientBefore] = [await cpuMicros(gateway), await cpuMicros(load)];
  await load.ask('connect', { port, dialect: 'plain', query: '?since=first', count: connections });
  const got = await load.ask('finish', { events: events * connections, patienceMs: 5_000 });
  const [serverAfter, clientAfter] = [await cpuMicros(gateway), await cpuMicros(load)];
  await load.ask('disconnect');
  if (got['events'] !== events * connections || got['bytes'] !== bytes * connections || got['misordered'] !== 0) {
    throw new Error(`replay: ${JSON.stringify(got)} of ${events} events and ${bytes} bytes to ${connections}`);
  }
  return {
    perSecond: (events * connections) / (numberOf(got, 'elapsedMs') / 1_000),
    serverMicros: (serverAfter - serverBefore) / (events * connections),
    clientMicros: (clientAfter - clientBefore) / (events * connections),
  };
}

function toRow(connections: number, events: number, replays: readonly Replay[]): Row {
  const perSecond = median(replays.map((one) => one.perSecond));
  return {
    connections,
    'events in the log': events,
    'events per second': perSecond,
    'server µs': median(replays.map((one) => one.serverMicros)),
    'client µs': median(replays.map((one) => one.clientMicros)),
    ...(connections === 1
      ? goal('≥ 150,000 per second', perSecond >= 150_000, `${formatCell(perSecond)} per second`)
      : NO_GOAL),
  };
}
