import { matchesTopic, type PregonEvent } from '@pregon/protocol';
import type { Rights } from '../../core/ports/rights.js';

/**
 * Whether rights allow an event to be published. One right must allow its topic, its exchange and its source together.
 *
 * @param event without a source: whether it may be published with any source
 */
export function mayPublish(
  { publish }: Pick<Rights, 'publish'>,
  event: Pick<PregonEvent, 'topic' | 'exchange'> & Partial<Pick<PregonEvent, 'source'>>,
): boolean {
  return publish.some(
    ({ pattern, exchange = event.exchange, source }) =>
      exchange === event.exchange &&
      (source === undefined || event.source === undefined || source === event.source) &&
      matchesTopic(pattern, event.topic),
  );
}
