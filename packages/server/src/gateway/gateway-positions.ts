import type { LogPoint } from '@pregon/protocol';
import type { Log } from '../core/ports/log.js';
import type { PositionCodec } from '../core/ports/positions.js';
import { positionsOf } from '../logs/secrets/position-codec.js';

/** The positions of a gateway. A log that replaces another has its own secret, so the key must be read again. */
export class GatewayPositions implements PositionCodec {
  readonly #log: Log;
  readonly #configured: string | undefined;
  #codec: PositionCodec;
  /**
   * The point that was encoded last, and its position: clients that connect one after another often start at the same
   * point.
   */
  #last: { readonly point: LogPoint; readonly position: string } | undefined;

  /** @throws PregonError LOG_UNAVAILABLE | CONFIG_INVALID | LOG_CLOSED */
  static async open(log: Log, configured: string | undefined): Promise<GatewayPositions> {
    return new GatewayPositions(log, configured, await positionsOf(log, configured));
  }

  private constructor(log: Log, configured: string | undefined, codec: PositionCodec) {
    this.#log = log;
    this.#configured = configured;
    this.#codec = codec;
  }

  /**
   * Reads the key again. The former key stays in use until the promise resolves; afterwards, positions under it are
   * answered with `reset`.
   */
  async renew(): Promise<void> {
    this.#codec = await positionsOf(this.#log, this.#configured);
    this.#last = undefined;
  }

  encode(point: LogPoint): string {
    if (this.#last?.point === point) return this.#last.position;
    const position = this.#codec.encode(point);
    this.#last = { point, position };
    return position;
  }

  encodeAll(points: readonly LogPoint[]): string[] {
    return this.#codec.encodeAll(points);
  }

  decode(position: string): LogPoint | undefined {
    return this.#codec.decode(position);
  }
}
