import { createGateway, type Gateway, type GatewayOptions, type OnlySocketIoTypes, type SocketIoTypes } from 'pregon';
import { describe } from 'vitest';
import { afterTest, temporaryFolder } from '../cleanup.js';
import { SocketIoClient, type SocketIoClientOptions } from '../gateway/socketio-client.js';
import { describeWithBroker, testNames } from '../rabbitmq.js';
import { eventually } from '../waiting.js';

/** One of several gateways on a log. */
export interface Member<T extends OnlySocketIoTypes<T> = SocketIoTypes> {
  readonly gateway: Gateway<T>;
  /** The URL of a namespace. */
  url(name: string): string;
  connect(name: string, options?: SocketIoClientOptions): Promise<SocketIoClient>;
}

/** Returns the options for a new log that the gateways of one test share. */
export type NewLog = () => { log: string; exchanges?: string[] };

/** Runs a suite on a SQLite file and on RabbitMQ. */
export function describeWithLogs(name: string, suite: (newLog: NewLog) => void): void {
  describe(`${name}, on one SQLite file`, () => suite(() => ({ log: `sqlite:${temporaryFolder()}/log.db` })));
  describeWithBroker(`${name}, on one RabbitMQ`, () => {
    suite(() => {
      const { url, exchange } = testNames();
      return { log: url, exchanges: [exchange] };
    });
  });
}

/** Starts a gateway on a free port; it is closed after the test. */
export async function startMember<T extends OnlySocketIoTypes<T> = SocketIoTypes>(
  options: Pick<GatewayOptions, 'log'> & Partial<GatewayOptions>,
): Promise<Member<T>> {
  const gateway = await createGateway<T>({ routes: { events: { path: '/events' } }, ...options });
  afterTest(() => gateway.close({ spreadMs: 0, timeoutMs: 1_000 }));
  const { port } = await gateway.listen({ port: 0 });
  const url = (name: string) => `http://127.0.0.1:${port}${name}`;
  return { gateway, url, connect: (name, more) => SocketIoClient.open(url(name), more) };
}

/** Waits until a gateway knows of this many gateways in a namespace, including itself. */
export async function untilSeen(gateway: Gateway<SocketIoTypes>, name: string, count: number): Promise<void> {
  await eventually(
    () => gateway.io.of(name).adapter.serverCount(),
    (seen) => seen === count,
  );
}
