import { decodePosition, type RequestId } from '@pregon/protocol';
import type { Received } from './fake-link.js';
import { type Fact, nextFact, type Standing, type Truth } from './truth.js';

/** A client's view of one subscription; throws at the first frame that is not the expected one. */
export class Reader {
  readonly wanted: (fact: Fact) => boolean;
  readonly #truth: Truth;
  #asked: string | undefined;
  #standing: Standing | undefined;
  #position: string | undefined;
  #mayBegin = true;
  resets: string[] = [];
  count = 0;

  constructor(truth: Truth, wanted: (fact: Fact) => boolean, since: string | undefined) {
    this.#truth = truth;
    this.wanted = wanted;
    this.#asked = since;
  }

  /** The position to resume from. */
  get position(): string | undefined {
    return this.#position ?? (this.#mayBegin && this.#asked !== 'first' ? this.#asked : undefined);
  }

  get isServed(): boolean {
    return this.#standing !== undefined;
  }

  /** The next event that must still come. */
  get missing(): Fact | undefined {
    return this.#standing && nextFact(this.#standing, this.wanted);
  }

  get isInThePresent(): boolean {
    return this.#standing?.era === this.#truth.era;
  }

  take(received: Received): void {
    switch (received.op) {
      case 'event':
        return this.#event(received.event.id, received.event.position);
      case 'subscribed':
        return this.#subscribed(received.position, received.recovered);
      case 'checkpoint':
        return this.#checkpoint(received.position);
      case 'reset':
        this.resets.push(received.reason);
        this.#standing = undefined;
        this.#position = undefined;
        this.#asked = undefined;
        this.#mayBegin = true;
        return;
      default:
        throw new Error(`did not expect ${JSON.stringify(received)}`);
    }
  }

  #subscribed(position: string, recovered: boolean): void {
    if (!this.#mayBegin) throw new Error('subscribed twice');
    if (recovered !== (this.#asked !== undefined)) throw new Error(`recovered: ${recovered}, asked: ${this.#asked}`);
    if (recovered && this.#asked !== 'first' && position !== this.#asked)
      throw new Error('subscribed names another position');
    this.#mayBegin = false;
    this.#moveTo(position);
  }

  #event(id: string, position: string | undefined): void {
    if (!this.#standing || position === undefined) throw new Error(`${id} came before subscribed, or has no position`);
    const next = nextFact(this.#standing, this.wanted);
    if (next?.id !== id || next.position !== position) {
      throw new Error(`got ${id} at ${position}, but ${next?.id} at ${next?.position} comes next`);
    }
    this.#standing = { era: this.#standing.era, offset: next.offset };
    this.#position = position;
    this.count += 1;
  }

  #checkpoint(position: string): void {
    const before = this.#standing;
    if (!before) throw new Error('a checkpoint before subscribed');
    const next = nextFact(before, this.wanted);
    const { offset } = decodePosition(position);
    if (next && next.offset <= offset) throw new Error(`the checkpoint ${position} skips ${next.id}`);
    this.#moveTo(position);
    if (this.#standing?.era !== before.era) throw new Error('a checkpoint in another log');
  }

  #moveTo(position: string): void {
    this.#standing = this.#truth.standing(position, decodePosition(position).offset);
    this.#position = position;
  }
}

/** Sends what a connection receives to the reader of each subscription. */
export function distribute(readers: ReadonlyMap<RequestId, Reader>, received: Received): void {
  if (!('id' in received) || received.id === undefined) return;
  if (received.op === 'unsubscribed') return;
  if (received.op === 'error') throw new Error(`refused: ${received.code} ${received.message}`);
  readers.get(received.id)?.take(received);
}
