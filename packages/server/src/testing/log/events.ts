import { encodeSequence, type PregonEvent } from '@pregon/protocol';

/** An event with its number in each attribute. */
export function numbered(n: number, overrides: Partial<PregonEvent> = {}): PregonEvent {
  return {
    specversion: '1.0',
    id: `event-${n}`,
    source: '/test',
    type: 'NumberWasSaid',
    topic: `number.${n}.said`,
    exchange: 'numbers',
    sequence: encodeSequence(n),
    data: { n },
    ...overrides,
  };
}

/** The events numbered `from` to `to`, both included. */
export function numberedFrom(from: number, to: number, overrides: Partial<PregonEvent> = {}): PregonEvent[] {
  return Array.from({ length: to - from + 1 }, (_, index) => numbered(from + index, overrides));
}
