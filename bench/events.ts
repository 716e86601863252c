import type { PregonEvent } from '@pregon/protocol';

/** The text before the event's number in its JSON. */
export const BEFORE_NUMBER = '{"specversion":"1.0","id":"';

/** Digits of the number, which is at the same place and has the same length in each event. */
export const NUMBER_DIGITS = 10;

/** As long as most positions of a run, so that events of servers without a log have the same size. */
const SAMPLE_POSITION = '2s0a.abcdefghijkxyz';

/** The bytes that the log adds to the JSON in addition to the position itself: `,"position":""`. */
const POSITION_BYTES = 14;

const TOPIC = 'price.1.set';

const BARE_BYTES = JSON.stringify(withPadding(0, 0, TOPIC, '')).length + POSITION_BYTES + SAMPLE_POSITION.length;

/**
 * An event of about `size` bytes of JSON when delivered with its position; its id is its number.
 *
 * @param at when the event was created, in microseconds; 0 if that is not measured
 */
export function createEvent(number: number, size: number, at = 0, topic = TOPIC): PregonEvent {
  const padding = Math.max(0, size - BARE_BYTES - topic.length + TOPIC.length);
  return withPadding(number, at, topic, 'x'.repeat(padding));
}

/** The same event for servers without a log, with a placeholder as position. */
export function createPositioned(number: number, size: number): PregonEvent {
  return { ...createEvent(number, size, nowMicros()), position: SAMPLE_POSITION };
}

/** Bytes of the delivered JSON text. */
export function deliveredBytes(event: PregonEvent, position: string): number {
  return JSON.stringify(event).length + POSITION_BYTES + position.length;
}

/** The text before an event in a Socket.IO packet, for a client that asked for the name `event` only. */
export const PACKET_HEAD = '42/events,["event",';

/** Bytes of the packet, with the position as the second argument. */
export function packetBytes(event: PregonEvent, position: string): number {
  return PACKET_HEAD.length + deliveredBytes(event, position) + `,"${position}"]`.length;
}

/** Bytes of the block of an event stream: `id: `, `data: `, and an empty line. */
export function blockBytes(event: PregonEvent, position: string): number {
  return deliveredBytes(event, position) + position.length + 'id: \ndata: \n\n'.length;
}

/** The time in microseconds on a clock that all processes of a machine share. */
export function nowMicros(): number {
  const [seconds, nanos] = process.hrtime();
  return seconds * 1_000_000 + Math.round(nanos / 1_000);
}

function withPadding(number: number, at: number, topic: string, padding: string): PregonEvent {
  return {
    specversion: '1.0',
    id: String(number).padStart(NUMBER_DIGITS, '0'),
    source: '/bench',
    type: 'PriceWasSet',
    topic,
    exchange: 'bench',
    data: { at: String(at).padStart(15, '0'), padding },
  };
}
