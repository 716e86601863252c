import { PregonError } from '@pregon/protocol';
import type { LogDriver } from '../../core/ports/log-driver.js';

/**
 * Refuses every `memory:` URL with the real reason; without this driver, the error would only say that the scheme is
 * unknown.
 */
export const memoryDriver: LogDriver = {
  name: 'memory',
  schemes: ['memory'],
  assertUrl() {
    throw unsupported();
  },
  capabilities: () => ({ processes: 'one', what: 'a log in memory' }),
  open: () => Promise.reject(unsupported()),
};

function unsupported(): PregonError {
  const message =
    'a log of kind memory: is not supported, because no other process can read it; use a file instead: sqlite:PATH';
  return new PregonError('CONFIG_INVALID', message);
}
