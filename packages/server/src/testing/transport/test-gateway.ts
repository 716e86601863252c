import type { PregonEvent } from '@pregon/protocol';
import type { Admission } from '../../core/ports/admission.js';
import type { Link } from '../../core/ports/link.js';
import type { Kernel, Transport } from '../../core/ports/transport.js';
import { createGateway } from '../../gateway/create-gateway.js';
import type { Gateway } from '../../gateway/gateway.js';
import { openMemoryLog } from '../../logs/memory/memory-log.js';
import { Inbox } from '../inbox.js';
import type { TransportClient, TransportKind } from './transport-kind.js';

/** A client, and all events that it received. */
export interface TestClient {
  readonly events: Inbox<PregonEvent>;
  /** Gets one item when the client is closed. */
  readonly ended: Inbox<true>;
  setReading(reading: boolean): void;
  close(): void;
}

/** What a test chooses of the gateway. */
export interface TestGatewayOptions {
  readonly maxBufferedBytes?: number;
  readonly admissions?: readonly Admission[];
}

/** A gateway on a log in memory, with one transport. */
export class TestGateway {
  readonly gateway: Gateway;
  /** The links of the transport, in order; empty if the transport does not call {@link Kernel.enter}. */
  readonly links: readonly Link[];
  readonly #kind: TransportKind;
  readonly #port: number;
  readonly #clients = new Set<TransportClient>();
  readonly #closeLog: () => Promise<void>;

  static async start(kind: TransportKind, options: TestGatewayOptions = {}): Promise<TestGateway> {
    const log = openMemoryLog();
    const links: Link[] = [];
    const gateway = await createGateway({
      ...options,
      log,
      // The client of a transport may be of any kind.
      access: 'public',
      routes: { events: { path: '/events' } },
      transports: [watched(kind.transport(), links)],
    });
    const { port } = await gateway.listen({ port: 0 });
    return new TestGateway(kind, gateway, port, links, () => log.close());
  }

  private constructor(
    kind: TransportKind,
    gateway: Gateway,
    port: number,
    links: readonly Link[],
    closeLog: () => Promise<void>,
  ) {
    this.#kind = kind;
    this.gateway = gateway;
    this.#port = port;
    this.links = links;
    this.#closeLog = closeLog;
  }

  /** Appends the events numbered `first` to `last`. Even numbers have the topic `number.even`, others `number.odd`. */
  async publish(first: number, last: number, data: object = {}): Promise<void> {
    for (let n = first; n <= last; n++) {
      const topic = n % 2 === 0 ? 'number.even' : 'number.odd';
      await this.gateway.publish({ exchange: 'x', topic, type: 'WasNumbered', source: '/test', data: { n, ...data } });
    }
  }

  /** Connects a client that must be admitted. @param target path and query */
  async connect(target: string): Promise<TestClient> {
    const events = new Inbox<PregonEvent>();
    const ended = new Inbox<true>();
    const client = await this.#connect(target, {}, events, ended);
    if ('status' in client) throw new Error(`${target} was refused with status ${client.status}`);
    this.#clients.add(client);
    return {
      events,
      ended,
      setReading: (reading) => client.setReading(reading),
      close: () => client.close(),
    };
  }

  /**
   * Connects a client that must be refused.
   *
   * @returns the status of the refusal; `closed` if the client was admitted and its connection closed before any event
   */
  async refusal(target: string, headers: Readonly<Record<string, string>> = {}): Promise<number | 'closed'> {
    const events = new Inbox<PregonEvent>();
    const ended = new Inbox<true>();
    const client = await this.#connect(target, headers, events, ended);
    if ('status' in client) return client.status;
    this.#clients.add(client);
    await ended.count(1);
    if (events.all.length > 0) throw new Error(`${target} got ${events.all.length} events`);
    return 'closed';
  }

  async dispose(): Promise<void> {
    for (const client of this.#clients) client.close();
    await this.gateway.close({ spreadMs: 0, timeoutMs: 1_000 });
    await this.#closeLog();
  }

  #connect(
    target: string,
    headers: Readonly<Record<string, string>>,
    events: Inbox<PregonEvent>,
    ended: Inbox<true>,
  ): ReturnType<TransportKind['connect']> {
    const url = `http://127.0.0.1:${this.#port}${target}`;
    const observer = { event: (event: PregonEvent) => events.push(event), closed: () => ended.push(true) };
    return this.#kind.connect({ url, headers }, observer);
  }
}

/** Wraps a transport so that its links are recorded. */
function watched(transport: Transport, links: Link[]): Transport {
  return {
    name: transport.name,
    offer: transport.offer,
    entrance(kernel) {
      const enter: Kernel['enter'] = (admitted, request, link) => {
        links.push(link);
        return kernel.enter(admitted, request, link);
      };
      // A built-in transport checks the class of the kernel, so the wrapper inherits from it.
      const seen: Kernel = Object.create(kernel, { enter: { value: enter } });
      return transport.entrance(seen);
    },
  };
}
