import { encodePosition, type LogPoint, type PregonEvent } from '@pregon/protocol';

export interface Fact {
  readonly offset: number;
  readonly position: string;
  readonly id: string;
  readonly topic: string;
  readonly exchange: string;
}

/** One of the logs that replaced each other. */
export interface Era {
  readonly facts: Fact[];
}

/** Where a client stands, according to the frames that it got. */
export interface Standing {
  readonly era: Era;
  readonly offset: number;
}

/** Every event that was ever appended, even if trimmed or replaced since. Deliveries are checked against it. */
export class Truth {
  #eras: Era[] = [{ facts: [] }];
  readonly #births = new Map<string, Era>();

  get era(): Era {
    const era = this.#eras.at(-1);
    if (!era) throw new Error('there is always an era');
    return era;
  }

  /** @param birth the floor of the empty log */
  begin(birth: LogPoint): void {
    if (this.#births.size > 0) this.#eras.push({ facts: [] });
    this.#births.set(encodePosition(birth), this.era);
  }

  appended(events: readonly PregonEvent[], points: readonly LogPoint[]): void {
    for (const [index, { id, topic, exchange }] of events.entries()) {
      const point = points[index];
      if (!point) throw new Error('one point per event');
      this.era.facts.push({ offset: point.offset, position: encodePosition(point), id, topic, exchange });
    }
  }

  standing(position: string, offset: number): Standing {
    const born = this.#births.get(position);
    const era = born ?? this.#eras.find(({ facts }) => facts.some((fact) => fact.position === position));
    if (!era) throw new Error(`no log ever had the position ${position}`);
    return { era, offset };
  }
}

/** The first wanted event after the client's position. */
export function nextFact({ era, offset }: Standing, wanted: (fact: Fact) => boolean): Fact | undefined {
  return era.facts.find((fact) => fact.offset > offset && wanted(fact));
}
