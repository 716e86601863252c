import type { Configuration } from '../../config/configuration.js';
import type { BusItem, BusPlan, LogBus } from '../../core/ports/log-driver.js';
import type { Command, Invocation } from '../command.js';
import { chooseLog, findLogDriver, LOG_FLAGS, readConfiguration } from '../log-flags.js';
import { splitQueues } from '../run/gateway-plan.js';
import { write } from '../terminal/output.js';
import { UsageError } from '../usage-error.js';

const BUS_FLAGS = {
  exchange: {
    kind: 'text',
    value: 'NAME',
    repeats: true,
    description: 'an exchange, or EXCHANGE:QUEUE (default: those of the configuration)',
  },
  ...LOG_FLAGS,
} as const satisfies Command['flags'];

const EXAMPLE_FLAGS = '--exchange=my_events --log=amqp://me:secret@broker/';

export const busCheck: Command = {
  name: 'bus check',
  summary: 'Check that the exchanges, the stream and the queues of a log exist at RabbitMQ',
  details: [
    'Changes nothing; the exit code is 1 if something is missing or has other properties. Bindings are not checked:',
    'AMQP cannot list them. A gateway creates them when it starts, and so does bus create.',
  ],
  arguments: [],
  flags: BUS_FLAGS,
  examples: [`pregon bus check ${EXAMPLE_FLAGS}`],
  run: (invocation) => withBus(invocation, async (bus) => report(await bus.check())),
};

export const busCreate: Command = {
  name: 'bus create',
  summary: 'Create the missing exchanges, queues, stream and bindings; existing ones stay as they are',
  arguments: [],
  flags: BUS_FLAGS,
  examples: [`pregon bus create ${EXAMPLE_FLAGS}`],
  run: (invocation) =>
    withBus(invocation, async (bus) => {
      await bus.create();
      return report(await bus.check());
    }),
};

export const busDrop: Command = {
  name: 'bus drop',
  summary: 'Delete the exchanges, the stream and the queues, with all events and all waiting messages',
  details: ['Without --force nothing is deleted. Clients that reconnect get a reset.'],
  arguments: [],
  flags: { force: { kind: 'switch', description: 'confirm the deletion' }, ...BUS_FLAGS },
  examples: [`pregon bus drop --force ${EXAMPLE_FLAGS}`],
  run: (invocation) =>
    withBus(invocation, async (bus) => {
      if (!invocation.flags.has('force')) {
        const there = (await bus.check()).filter(({ problem }) => problem !== 'is missing').map(({ what }) => what);
        if (there.length === 0) await write('nothing exists\n');
        else throw new UsageError(`this deletes ${there.join(', ')} at ${bus.name}; add --force`);
        return 0;
      }
      const dropped = await bus.drop();
      for (const what of dropped) await write(`${what}: dropped\n`);
      if (dropped.length === 0) await write('nothing existed\n');
      return 0;
    }),
};

async function report(items: readonly BusItem[]): Promise<number> {
  for (const { what, problem } of items) await write(`${what}: ${problem ?? 'ok'}\n`);
  return items.some(({ problem }) => problem !== undefined) ? 1 : 0;
}

async function withBus(invocation: Invocation, work: (bus: LogBus) => Promise<number>): Promise<number> {
  const configuration = await readConfiguration(invocation);
  const url = chooseLog(invocation, configuration);
  const { admin } = await findLogDriver(url, () => configuration);
  if (!admin?.bus) {
    await write(
      `${admin?.show(url) ?? 'this log'} needs no bus: there is nothing to do. Only a log on RabbitMQ has a bus: --log=amqp://…\n`,
    );
    return 0;
  }
  const bus = await admin.bus(url, planBus(invocation, configuration));
  try {
    return await work(bus);
  } finally {
    await bus.close();
  }
}

/** @throws UsageError | PregonError CONFIG_INVALID */
function planBus({ flags }: Invocation, { exchanges, retention }: Configuration): BusPlan {
  const named = flags.has('exchange') ? flags.list('exchange') : (exchanges ?? []);
  if (named.length === 0)
    throw new UsageError('no exchange is given: add --exchange=NAME, or "exchanges:" to the configuration');
  return { ...splitQueues(named), retention };
}
