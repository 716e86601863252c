import { BaseSequencer, type TestSpecification } from 'vitest/node';

/**
 * The slowest test files, slowest first. On a fresh clone Vitest knows only file sizes, and a slow file that starts
 * last would run alone.
 */
const SLOWEST = [
  'packages/server/test/rabbitmq/outages.test.ts',
  'test/e2e/cli/bench.test.ts',
  'test/gateway/access/rights/matrix.test.ts',
  'test/packages/dependencies.test.ts',
  'test/chaos/chaos.test.ts',
  'test/e2e/outbox/silent.test.ts',
  'test/gateway/workers/workers.test.ts',
  'test/packages/packed.test.ts',
  'test/gateway/connections/liveness.test.ts',
  'test/socketio/protocol/heartbeat.test.ts',
  'test/e2e/gateways/churn.test.ts',
  'test/e2e/cli/cli.test.ts',
  'test/e2e/outbox/postgres.test.ts',
  'test/e2e/outbox/frozen.test.ts',
  'test/e2e/cli/log.test.ts',
  'test/e2e/browser/page.test.ts',
  'test/examples/nestjs-funkos.test.ts',
  'test/examples/handlebars-products.test.ts',
  'test/examples/express-socketio.test.ts',
  'test/socketio/returns/cluster.test.ts',
  'test/gateway/workers/polling.test.ts',
  'test/gateway/snapshots/snapshots.test.ts',
  'test/gateway/compression/compression.test.ts',
  'test/gateway/compression/inbound.test.ts',
  'test/e2e/logs/recovery.test.ts',
  'test/e2e/cli/output.test.ts',
  'test/e2e/gateways/socketio-kill.test.ts',
  'test/e2e/outbox/kill.test.ts',
  'test/e2e/gateways/revocation.test.ts',
  'test/e2e/cli/revocations.test.ts',
  'test/e2e/cli/access.test.ts',
  'test/gateway/limits/limits.test.ts',
];

/** Starts the slowest files first, so that the short ones fill the time until the last slow one ends. */
export class SlowestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const rank = ({ moduleId }: TestSpecification) => {
      const at = SLOWEST.findIndex((file) => moduleId.endsWith(`/${file}`));
      return at < 0 ? SLOWEST.length : at;
    };
    return sorted
      .map((file) => ({ file, rank: rank(file) }))
      .sort((a, b) => a.rank - b.rank)
      .map(({ file }) => file);
  }
}
