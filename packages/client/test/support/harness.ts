import type { PregonError, PregonEvent } from '@pregon/protocol';
import { type Client, createClient } from '../../src/client.js';
import type { ConnectivityObserver } from '../../src/connection/connectivity.js';
import type { StateChange } from '../../src/connection/connector.js';
import type { ClientOptions } from '../../src/options.js';
import { FakeClock, settle } from './fake-clock.js';
import { type FakeSocket, fakeWebSockets } from './fake-socket.js';

/** A network that the test switches on and off. */
export class FakeConnectivity {
  online = true;
  visible = true;
  observers = new Set<ConnectivityObserver>();

  observe(observer: ConnectivityObserver): () => void {
    this.observers.add(observer);
    return () => this.observers.delete(observer);
  }

  go(online: boolean): void {
    this.online = online;
    for (const observer of this.observers) {
      if (online) observer.up();
      else observer.down();
    }
  }

  /** Hides the page, or shows it again. */
  show(visible: boolean): void {
    this.visible = visible;
    if (visible) this.wake();
  }

  /** Moves the device to another network. */
  change(): void {
    for (const observer of this.observers) observer.changed?.();
  }

  wake(): void {
    for (const observer of this.observers) observer.woken();
  }
}

export interface Harness {
  readonly client: Client;
  readonly clock: FakeClock;
  readonly network: FakeConnectivity;
  readonly sockets: readonly FakeSocket[];
  readonly last: FakeSocket;
  readonly changes: StateChange[];
  readonly errors: PregonError[];
  /** Opens the next socket and delivers its welcome. */
  online(heartbeatMs?: number): Promise<FakeSocket>;
}

/** A client on a fake network, clock and socket; random delays are in the middle of their range. */
export async function harness(
  options: Partial<ClientOptions> = {},
  { listen = true }: { listen?: boolean } = {},
): Promise<Harness> {
  const clock = new FakeClock();
  const network = new FakeConnectivity();
  const made = fakeWebSockets();
  const client = createClient({
    url: 'ws://localhost:1234/events',
    WebSocket: made.WebSocket,
    clock,
    connectivity: network,
    random: () => 0.5,
    ...options,
  });
  const changes: StateChange[] = [];
  const errors: PregonError[] = [];
  client.on('state', (change) => changes.push(change));
  if (listen) client.on('error', (error) => errors.push(error));
  await settle();
  return {
    client,
    clock,
    network,
    sockets: made.sockets,
    get last() {
      return made.last;
    },
    changes,
    errors,
    async online(heartbeatMs) {
      await settle();
      made.last.welcome(heartbeatMs);
      return made.last;
    },
  };
}

/** An event at a position that is named after its number. */
export function event(number: number, data: unknown = { id: number }, type = 'UserWasUpdated'): PregonEvent {
  return {
    specversion: '1.0',
    id: `e-${number}`,
    source: '/test',
    type,
    topic: `user.${number}.updated`,
    exchange: 'my_events',
    data,
    position: `p-${number}`,
  };
}
