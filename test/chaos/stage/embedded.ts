import { join } from 'node:path';
import type { FaultChoice } from '../faults/fault.js';
import { REVOCATIONS } from '../faults/revocations.js';
import { Link } from '../parts/link.js';
import { steadyPort } from '../parts/port.js';
import { readSqliteTruth } from '../verification/sqlite-truth.js';
import { ApplicationPart } from './application-part.js';
import { Applications } from './applications.js';
import { gatewayPart } from './gateway-part.js';
import type { Stage, StageOptions } from './stage.js';

/**
 * SQLite for rows and log: an application of two processes and two gateways, with TCP between gateways and clients, and
 * for snapshots.
 */
export async function embeddedStage({ folder, seed, rate }: StageOptions): Promise<Stage> {
  const ports = {
    application1: await steadyPort(),
    application2: await steadyPort(),
    gateway1: await steadyPort(),
    gateway2: await steadyPort(),
  };
  const store = join(folder, 'application.db');
  const log = `sqlite:${join(folder, 'log.db')}`;
  const snapshots = await Link.open('snapshots', ports.application1);
  const clients1 = await Link.open('clients to gateway-1', ports.gateway1);
  const clients2 = await Link.open('clients to gateway-2', ports.gateway2);
  const shared = { store: `sqlite:${store}`, log, rate: rate / 2, seed };
  const applications = new Applications([
    new ApplicationPart('application-1', folder, { ...shared, port: ports.application1 }),
    new ApplicationPart('application-2', folder, { ...shared, port: ports.application2 }),
  ]);
  const common = { folder, log, snapshotPort: snapshots.port };
  const gateways = [
    gatewayPart({ ...common, name: 'gateway-1', port: ports.gateway1 }),
    gatewayPart({ ...common, name: 'gateway-2', port: ports.gateway2 }),
  ];
  const links = [snapshots, clients1, clients2];
  const parts = [...applications.parts, ...gateways];

  return {
    parts,
    links,
    choices: [...FAULTS],
    gatewayPorts: [clients1.port, clients2.port],
    application: () => applications.state,
    rest: () => applications.rest(),
    writeLast: () => applications.writeLast(),
    revoke: (kind, user) => applications.revoke(kind, user),
    truth: async () => readSqliteTruth(store),
    async start() {
      // The application creates the log, and the gateways find it.
      await applications.start();
      await Promise.all(gateways.map((gateway) => gateway.start()));
    },
    async stop() {
      await Promise.all(parts.map((part) => part.stop()));
      for (const link of links) link.close();
    },
    abandon() {
      for (const part of parts) part.abandon();
      for (const link of links) link.close();
    },
  };
}

const FAULTS: readonly FaultChoice[] = [
  ...['application-1', 'application-2'].flatMap((target): FaultChoice[] => [
    { kind: 'kill', target, weight: 2.5, durationMs: [50, 2_500], recoveryMs: 2_500 },
    { kind: 'freeze process', target, weight: 0.7, durationMs: [300, 6_000], recoveryMs: 500 },
  ]),
  ...['gateway-1', 'gateway-2'].flatMap((target): FaultChoice[] => [
    { kind: 'kill', target, weight: 3, durationMs: [50, 3_000], recoveryMs: 2_500 },
    { kind: 'freeze process', target, weight: 1.5, durationMs: [300, 7_000], recoveryMs: 500 },
  ]),
  ...['clients to gateway-1', 'clients to gateway-2'].flatMap((target): FaultChoice[] => [
    { kind: 'cut all', target, weight: 1.5, durationMs: [1, 1], recoveryMs: 500 },
    { kind: 'cut some', target, weight: 2, durationMs: [1, 1], recoveryMs: 500 },
    { kind: 'freeze link', target, weight: 1.5, durationMs: [300, 8_000], recoveryMs: 500 },
  ]),
  ...REVOCATIONS,
  { kind: 'cut all', target: 'snapshots', weight: 0.5, durationMs: [1, 1], recoveryMs: 500 },
  { kind: 'freeze link', target: 'snapshots', weight: 0.5, durationMs: [300, 4_000], recoveryMs: 500 },
];
