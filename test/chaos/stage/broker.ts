import type { FaultChoice } from '../faults/fault.js';
import { REVOCATIONS } from '../faults/revocations.js';
import { Link } from '../parts/link.js';
import { steadyPort } from '../parts/port.js';
import { readPostgresTruth } from '../verification/postgres-truth.js';
import { ApplicationPart } from './application-part.js';
import { Applications } from './applications.js';
import { gatewayPart } from './gateway-part.js';
import { postgresPart, postgresUrl } from './postgres-part.js';
import { namesPart, rabbitPart } from './rabbitmq-part.js';
import type { Stage, StageOptions } from './stage.js';

/**
 * PostgreSQL for rows, RabbitMQ for the log, each in an instance of the run's own, with a proxy between any two parts
 * that communicate.
 */
export async function brokerStage({ folder, seed, rate }: StageOptions): Promise<Stage> {
  const ports = await choosePorts();
  const links = await openLinks(ports);
  const names = namesPart(folder, ports);
  const rabbitmq = rabbitPart(folder, ports);
  const postgres = postgresPart(folder, ports.postgres);
  const shared = { rate: rate / 2, seed };
  const applications = new Applications([
    new ApplicationPart('application-1', folder, {
      ...shared,
      store: postgresUrl(links.application1ToPostgres.port),
      log: logUrl(links.application1ToRabbitmq),
      port: ports.application1,
    }),
    new ApplicationPart('application-2', folder, {
      ...shared,
      store: postgresUrl(links.application2ToPostgres.port),
      log: logUrl(links.application2ToRabbitmq),
      port: ports.application2,
    }),
  ]);
  const common = { folder, snapshotPort: links.snapshots.port };
  const gateways = [
    gatewayPart({ ...common, name: 'gateway-1', port: ports.gateway1, log: logUrl(links.gateway1ToRabbitmq) }),
    gatewayPart({ ...common, name: 'gateway-2', port: ports.gateway2, log: logUrl(links.gateway2ToRabbitmq) }),
  ];
  const parts = [...applications.parts, ...gateways, postgres, rabbitmq, names];

  return {
    parts,
    links: Object.values(links),
    choices: FAULTS,
    gatewayPorts: [links.clientsToGateway1.port, links.clientsToGateway2.port],
    application: () => applications.state,
    rest: () => applications.rest(),
    writeLast: () => applications.writeLast(),
    revoke: (kind, user) => applications.revoke(kind, user),
    truth: () => readPostgresTruth(postgresUrl(ports.postgres)),
    async start() {
      await names.start();
      await Promise.all([rabbitmq.start(), postgres.start()]);
      await applications.start();
      await Promise.all(gateways.map((part) => part.start()));
    },
    async stop() {
      await Promise.all([...applications.parts, ...gateways].map((part) => part.stop()));
      await Promise.all([rabbitmq.stop(), postgres.stop()]);
      await names.stop();
      for (const link of Object.values(links)) link.close();
    },
    abandon() {
      for (const part of parts) part.abandon();
      for (const link of Object.values(links)) link.close();
    },
  };
}

type Ports = Awaited<ReturnType<typeof choosePorts>>;

async function choosePorts() {
  return {
    application1: await steadyPort(),
    application2: await steadyPort(),
    gateway1: await steadyPort(),
    gateway2: await steadyPort(),
    postgres: await steadyPort(),
    amqp: await steadyPort(),
    distribution: await steadyPort(),
    names: await steadyPort(),
  };
}

async function openLinks({ application1, gateway1, gateway2, postgres, amqp }: Ports) {
  return {
    snapshots: await Link.open('snapshots', application1),
    clientsToGateway1: await Link.open('clients to gateway-1', gateway1),
    clientsToGateway2: await Link.open('clients to gateway-2', gateway2),
    application1ToPostgres: await Link.open('application-1 to postgres', postgres),
    application2ToPostgres: await Link.open('application-2 to postgres', postgres),
    application1ToRabbitmq: await Link.open('application-1 to rabbitmq', amqp),
    application2ToRabbitmq: await Link.open('application-2 to rabbitmq', amqp),
    gateway1ToRabbitmq: await Link.open('gateway-1 to rabbitmq', amqp),
    gateway2ToRabbitmq: await Link.open('gateway-2 to rabbitmq', amqp),
  };
}

function logUrl({ port }: Link): string {
  return `amqp://guest:guest@127.0.0.1:${port}/`;
}

const LINKS = [
  'clients to gateway-1',
  'clients to gateway-2',
  'application-1 to postgres',
  'application-2 to postgres',
  'application-1 to rabbitmq',
  'application-2 to rabbitmq',
  'gateway-1 to rabbitmq',
  'gateway-2 to rabbitmq',
];

/** A broker takes some seconds to come back. The parts then need time to work, or nothing would be tested. */
const FAULTS: readonly FaultChoice[] = [
  // A relay that is frozen for longer than its lease wakes up beside the relay that has taken over.
  ...['application-1', 'application-2'].flatMap((target): FaultChoice[] => [
    { kind: 'kill', target, weight: 2, durationMs: [50, 2_500], recoveryMs: 3_500 },
    { kind: 'freeze process', target, weight: 0.8, durationMs: [300, 9_000], recoveryMs: 500 },
  ]),
  ...['gateway-1', 'gateway-2'].flatMap((target): FaultChoice[] => [
    { kind: 'kill', target, weight: 2, durationMs: [50, 3_000], recoveryMs: 3_500 },
    { kind: 'freeze process', target, weight: 1, durationMs: [300, 7_000], recoveryMs: 500 },
  ]),
  { kind: 'kill', target: 'rabbitmq', weight: 2, durationMs: [50, 2_000], recoveryMs: 14_000 },
  { kind: 'restart', target: 'rabbitmq', weight: 2, durationMs: [50, 2_000], recoveryMs: 14_000 },
  { kind: 'freeze process', target: 'rabbitmq', weight: 0.7, durationMs: [300, 4_000], recoveryMs: 1_000 },
  { kind: 'kill', target: 'postgres', weight: 2, durationMs: [50, 2_000], recoveryMs: 8_000 },
  { kind: 'kill a process of', target: 'postgres', weight: 2, durationMs: [1, 1], recoveryMs: 6_000 },
  { kind: 'restart', target: 'postgres', weight: 2, durationMs: [50, 2_000], recoveryMs: 8_000 },
  ...LINKS.flatMap((target): FaultChoice[] => [
    { kind: 'cut all', target, weight: 0.6, durationMs: [1, 1], recoveryMs: 1_000 },
    { kind: 'cut some', target, weight: 0.6, durationMs: [1, 1], recoveryMs: 1_000 },
    { kind: 'freeze link', target, weight: 0.6, durationMs: [300, 8_000], recoveryMs: 1_000 },
  ]),
  ...REVOCATIONS,
  { kind: 'cut all', target: 'snapshots', weight: 0.4, durationMs: [1, 1], recoveryMs: 500 },
  { kind: 'freeze link', target: 'snapshots', weight: 0.4, durationMs: [300, 4_000], recoveryMs: 500 },
];
