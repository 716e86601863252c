import { matchesTopic, type PregonEvent } from '@pregon/protocol';
import type { Rights } from '../../core/ports/rights.js';

/** Whether rights allow an event to be published. One right must allow its topic, its exchange and its source together. */
export function mayPublish(
  { publish }: Pick<Rights, 'publish'>,
  event: Pick<PregonEvent, 'topic' | 'exchange' | 'source'>,
): boolean {
  return publish.some(
    ({ pattern, exchange = event.exchange, source = event.source }) =>
      exchange === event.exchange && source === event.source && matchesTopic(pattern, event.topic),
  );
}
