import type { PregonEvent } from '@pregon/protocol';
import type { Transport } from '../../core/ports/transport.js';

/** How a client of the suite comes in. */
export interface ClientRequest {
  /** Over HTTP, with the query that is asked for: `http://127.0.0.1:1234/events?since=first`. */
  readonly url: string;
  /** To be sent beside those of the transport. */
  readonly headers: Readonly<Record<string, string>>;
}

/** What a client tells the suite. */
export interface ClientObserver {
  /** An event came, whole and parsed. */
  event(event: PregonEvent): void;
  /** The connection ended, whoever ended it. */
  closed(): void;
}

export interface TransportClient {
  /** Whether to take what comes. While it does not, what is sent to it waits in sockets. */
  setReading(reading: boolean): void;
  /** Goes away. */
  close(): void;
}

/** A client that was not let in. */
export interface RefusedClient {
  /** The status of the HTTP response. */
  readonly status: number;
}

/** A kind of transport, for {@link describeTransport}. */
export interface TransportKind {
  /** That of its connections: {@link Link.transport}. */
  readonly name: string;
  /** Makes it anew, for one gateway. */
  transport(): Transport;
  /** Connects a client of it. Resolves when it is let in or refused; it reads from then on. */
  connect(request: ClientRequest, observer: ClientObserver): Promise<TransportClient | RefusedClient>;
}
