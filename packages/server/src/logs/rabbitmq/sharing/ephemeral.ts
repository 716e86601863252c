import { PregonError } from '@pregon/protocol';
import type { Ephemeral, EphemeralMember } from '../../../core/ports/ephemeral.js';
import type { RabbitConnection } from '../connection/connection.js';
import { RabbitMember } from './member.js';

export interface RabbitEphemeralOptions {
  readonly stream: string;
  /** Opens a connection of its own, because broadcasts must not delay events. */
  readonly connect: (onWaiting: () => void) => RabbitConnection;
  readonly onWarning: (error: Error) => void;
}

/** {@link Ephemeral} over a fanout exchange next to the stream; the exchange is deleted with its last member. */
export class RabbitEphemeral implements Ephemeral {
  readonly #exchange: string;
  readonly #connection: RabbitConnection;
  readonly #onWarning: (error: Error) => void;
  readonly #members = new Set<RabbitMember>();
  #closed = false;

  constructor({ stream, connect, onWarning }: RabbitEphemeralOptions) {
    this.#exchange = `${stream}.ephemeral`;
    this.#connection = connect(() => {
      for (const member of this.#members) member.unreachable();
    });
    this.#onWarning = onWarning;
  }

  async join(hear: (text: string) => void): Promise<EphemeralMember> {
    if (this.#closed) throw new PregonError('LOG_CLOSED', 'the log is closed');
    const member = new RabbitMember({
      exchange: this.#exchange,
      connection: this.#connection,
      hear,
      onRefused: (cause) =>
        this.#onWarning(new Error(`broadcasts do not reach other gateways for now: ${cause.message}`, { cause })),
    });
    this.#members.add(member);
    // The other members were notified when the outage began.
    if (this.#connection.isWaiting) member.unreachable();
    await member.joined;
    const leave = async () => {
      await member.leave();
      this.#members.delete(member);
    };
    return {
      send: (text) => member.send(text),
      leave,
      get dropped() {
        return member.dropped;
      },
    };
  }

  /** Must be called before the connection's signal is aborted, so that pending messages still go out. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#members].map((member) => member.leave()));
    this.#members.clear();
    await this.#connection.close();
  }
}
