import { encodePosition, fingerprint, type PregonEvent } from '@pregon/protocol';
import { LoggedEvent } from '../../../src/core/delivery/logged-event.js';
import type { LogEntry } from '../../../src/core/ports/log-entry.js';
import { event } from './square.js';

/** An entry as a log holds it. */
export function entry(offset: number, of: PregonEvent = event('thing.1.done')): LogEntry {
  const payload = Buffer.from(JSON.stringify(of));
  const { exchange, topic, type, source } = of;
  return { offset, fingerprint: fingerprint(payload), exchange, topic, type, source, sequence: undefined, payload };
}

/** An event whose JSON text, with its position, has exactly as many bytes. */
export function loggedOfSize(offset: number, bytes: number): LoggedEvent {
  const bare = event('t', { id: 'i', source: 's', type: 'T', exchange: 'e', data: '' });
  const position = encodePosition({ offset, fingerprint: 0 });
  const around = JSON.stringify({ ...bare, position }).length;
  return logged(entry(offset, { ...bare, data: 'x'.repeat(bytes - around) }), position);
}

export function logged(of: LogEntry, position = encodePosition(of)): LoggedEvent {
  return new LoggedEvent(of, position);
}
