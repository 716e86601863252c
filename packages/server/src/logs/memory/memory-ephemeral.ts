import { PregonError } from '@pregon/protocol';
import { type Ephemeral, type EphemeralMember, MAX_EPHEMERAL_BYTES } from '../../core/ports/ephemeral.js';

/** {@link Ephemeral} within one process. */
export class MemoryEphemeral implements Ephemeral {
  readonly #members = new Set<MemoryMember>();
  #closed = false;

  async join(hear: (text: string) => void): Promise<EphemeralMember> {
    if (this.#closed) throw new PregonError('LOG_CLOSED', 'the log is closed');
    const member = new MemoryMember(this.#members, hear);
    this.#members.add(member);
    return member;
  }

  close(): void {
    this.#closed = true;
    this.#members.clear();
  }
}

class MemoryMember implements EphemeralMember {
  readonly #members: Set<MemoryMember>;
  readonly #hear: (text: string) => void;
  #waiting: string[] = [];
  #bytes = 0;
  #dropped = 0;

  constructor(members: Set<MemoryMember>, hear: (text: string) => void) {
    this.#members = members;
    this.#hear = hear;
  }

  get dropped(): number {
    return this.#dropped;
  }

  send(text: string): void {
    if (!this.#members.has(this)) return;
    const bytes = Buffer.byteLength(text);
    if (bytes > MAX_EPHEMERAL_BYTES) this.#dropped += 1;
    else for (const member of this.#members) if (member !== this && !member.#take(text, bytes)) this.#dropped += 1;
  }

  async leave(): Promise<void> {
    this.#members.delete(this);
  }

  #take(text: string, bytes: number): boolean {
    if (this.#bytes + bytes > MAX_EPHEMERAL_BYTES) return false;
    if (this.#waiting.length === 0) setImmediate(() => this.#hearAll());
    this.#waiting.push(text);
    this.#bytes += bytes;
    return true;
  }

  #hearAll(): void {
    const texts = this.#waiting;
    this.#waiting = [];
    this.#bytes = 0;
    for (const text of texts) if (this.#members.has(this)) this.#hear(text);
  }
}
