import type { PregonEvent } from '@pregon/protocol';
import type { Transport } from '../../core/ports/transport.js';

/** The request of a client of the suite. */
export interface ClientRequest {
  /** The HTTP URL, with the query: `http://127.0.0.1:1234/events?since=first`. */
  readonly url: string;
  /** Headers to send in addition to those of the transport. */
  readonly headers: Readonly<Record<string, string>>;
}

/** Called by a client of the suite. */
export interface ClientObserver {
  /** The client received an event, complete and parsed. */
  event(event: PregonEvent): void;
  /** The connection ended, by the client or the gateway. */
  closed(): void;
}

export interface TransportClient {
  /** Stops or resumes reading. While the client does not read, the data for it waits in sockets. */
  setReading(reading: boolean): void;
  /** Ends the connection. */
  close(): void;
}

/** A refused client. */
export interface RefusedClient {
  /** The status of the HTTP response. */
  readonly status: number;
}

/** A kind of transport, for {@link describeTransport}. */
export interface TransportKind {
  /** The {@link Link.transport} of its connections. */
  readonly name: string;
  /** Creates a new transport, for one gateway. */
  transport(): Transport;
  /** Connects a client. Resolves when it is admitted or refused. An admitted client reads from then on. */
  connect(request: ClientRequest, observer: ClientObserver): Promise<TransportClient | RefusedClient>;
}
