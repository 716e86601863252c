import { setTimeout as delay } from 'node:timers/promises';
import { Inject, Injectable } from '@nestjs/common';
import { OnDomainEvent } from '@pregon/nest';
import type { PregonEvent } from 'pregon';
import { Journal } from './journal.js';

interface User {
  readonly name: string;
}

@Injectable()
export class Welcome {
  readonly #journal: Journal;

  constructor(@Inject(Journal) journal: Journal) {
    this.#journal = journal;
  }

  @OnDomainEvent('UserWasCreated')
  async greet({ data }: PregonEvent<User>): Promise<void> {
    // The first event takes longest; the others must not overtake it.
    if (data?.name === 'user 0') await delay(50);
    if (data?.name === 'user 1') throw new RangeError('no greeting for user 1');
    this.#journal.note(`welcome: ${data?.name}`);
  }

  @OnDomainEvent('UserWasCreated', 'UserWasDeleted')
  count({ type, data }: PregonEvent<User>): void {
    this.#journal.note(`count: ${type} ${data?.name}`);
  }
}

/** A factory creates this subscriber, so Nest does not know its class. */
export class Audit {
  readonly #journal: Journal;

  constructor(journal: Journal) {
    this.#journal = journal;
  }

  @OnDomainEvent('*')
  note(event: PregonEvent): void {
    this.#journal.note(`audit: ${event.type}`);
  }
}
