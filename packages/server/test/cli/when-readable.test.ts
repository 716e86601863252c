import { PregonError } from '@pregon/protocol';
import { expect, it } from 'vitest';
import { createWhenReadable } from '../../src/cli/run/when-readable.js';
import { createGateway } from '../../src/gateway/create-gateway.js';
import { openMemoryLog } from '../../src/logs/memory/memory-log.js';

const never = new Promise<string>(() => {});

function recorder() {
  const lines: string[] = [];
  const note = (_: object, message: string) => void lines.push(message);
  return { lines, logger: { info: note, warn: note, error: note, debug: note } };
}

it('[I-2] a gateway whose log goes away during its start tries again, and starts when the log is back', async () => {
  const log = await openMemoryLog();
  const head = log.head.bind(log);
  let failures = 2;
  log.head = async () => {
    failures -= 1;
    if (failures >= 0) throw new PregonError('LOG_UNAVAILABLE', 'the consumer was closed');
    return head();
  };
  const { lines, logger } = recorder();
  const create = () => createGateway({ log, routes: { events: { path: '/events' } } });
  const gateway = await createWhenReadable(create, logger, never);
  expect(gateway?.notReady).toBeUndefined();
  expect(lines).toHaveLength(2);
  await gateway?.close({ spreadMs: 0 });
  await log.close();
});

it('a gateway that waits for its log ends on a signal', async () => {
  const { logger } = recorder();
  const away = () => Promise.reject(new PregonError('LOG_UNAVAILABLE', 'away'));
  let stop: (signal: string) => void = () => {};
  const stopping = new Promise<string>((resolve) => {
    stop = resolve;
  });
  const waiting = createWhenReadable(away, logger, stopping);
  stop('SIGTERM');
  expect(await waiting).toBeUndefined();
});

it('a gateway does not try again after an error that is not retryable', async () => {
  const { logger, lines } = recorder();
  const wrong = () => Promise.reject(new PregonError('CONFIG_INVALID', 'wrong'));
  await expect(createWhenReadable(wrong, logger, never)).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
  expect(lines).toEqual([]);
});
