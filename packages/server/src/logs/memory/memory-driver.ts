import { PregonError } from '@pregon/protocol';
import type { LogDriver } from '../../core/ports/log-driver.js';

/** Refuses: whoever writes `memory:` learns why, instead of that nobody knows the scheme. */
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
    'a log of kind memory: is not supported, since no other process sees it; what is: a file, sqlite:PATH';
  return new PregonError('CONFIG_INVALID', message);
}
