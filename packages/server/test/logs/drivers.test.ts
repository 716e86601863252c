import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createGateway, type LogDriver } from 'pregon';
import { expect, it } from 'vitest';
import { temporaryFolder } from '../../../../test/support/cleanup.js';
import { pregon } from '../../../../test/support/processes.js';
import { openMemoryLog } from '../../src/logs/memory/memory-log.js';
import { driverFor, openLog } from '../../src/logs/open.js';

/** A kind of log that only this file has, and the URLs that it was opened with. */
function toyDriver(given: Partial<LogDriver> = {}): { driver: LogDriver; opened: string[] } {
  const opened: string[] = [];
  const driver: LogDriver = {
    name: 'Toy',
    schemes: ['toy'],
    example: 'toy:NAME',
    assertUrl() {},
    capabilities: () => ({ processes: 'one', what: 'a toy log' }),
    async open(url, { exchanges }) {
      opened.push(url);
      return openMemoryLog(exchanges ? { exchanges } : {});
    },
    ...given,
  };
  return { driver, opened };
}

it('a log is opened by the driver with its scheme, in upper or lower case', async () => {
  const { driver, opened } = toyDriver();
  await openLog('TOY:x', { drivers: [driver] });
  expect(opened).toEqual(['TOY:x']);
});

it('a gateway opens and closes its log with a given driver', async () => {
  const { driver, opened } = toyDriver();
  const gateway = await createGateway({ log: 'toy:x', logDrivers: [driver], routes: { events: { path: '/events' } } });
  expect(opened).toEqual(['toy:x']);
  await gateway.close();
});

it('a URL without a driver is refused; the error lists the known forms, and shows no password', async () => {
  const { driver } = toyDriver();
  const refused: unknown = await openLog('tory://me:secret@host', { drivers: [driver] }).catch(
    (error: unknown) => error,
  );
  expect(refused).toMatchObject({
    code: 'CONFIG_INVALID',
    message: expect.stringMatching(/kind tory: is not supported; supported are sqlite:PATH and amqp:.* and toy:NAME/),
  });
  expect(String(refused)).not.toContain('secret');
  const withoutScheme: unknown = await openLog('//me:secret@host').catch((error: unknown) => error);
  expect(withoutScheme).toMatchObject({ message: expect.stringMatching(/^the URL of the log is not supported/) });
  expect(String(withoutScheme)).not.toContain('secret');
});

it('two drivers with one scheme are refused, even if one of them is built in', () => {
  for (const other of [toyDriver({ name: 'Other' }), toyDriver({ name: 'Other', schemes: ['other', 'sqlite'] })]) {
    expect(() => driverFor('toy:x', [toyDriver().driver, other.driver])).toThrow(/both have the scheme (toy|sqlite)/);
  }
});

it('no built-in driver shows a password', () => {
  const url = 'amqp://me:secret@host/vhost?stream=s';
  expect(driverFor(url).admin?.show(url)).toBe('amqp://me@host:5672/vhost?stream=s');
});

const TOY_MODULE = `import { type LogDriver, openLog } from 'pregon';

export default (): LogDriver => ({
  name: 'Toy',
  schemes: ['toy'],
  example: 'toy:NAME',
  assertUrl() {},
  capabilities: () => ({ processes: 'one', what: 'a toy log' }),
  open: (url, options) => openLog(\`sqlite:\${url.slice('toy:'.length)}\`, options),
});
`;

/** A folder with a configuration that names a driver. */
function configure(module: string): string {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'toy.ts'), module);
  writeFileSync(
    join(folder, 'pregon.yml'),
    'log: toy:x.db\nlogDrivers: [toy.ts]\nexchanges: [x]\nwebsocket: { routes: { a: { path: /a } } }\n',
  );
  return folder;
}

it('the command line opens a log with a driver from the configuration', async () => {
  const cwd = configure(TOY_MODULE);
  const published = await pregon(['publish', 'x', 'a.b', '1', '--type=T'], { cwd });
  expect(published).toMatchObject({ code: 0, stderr: '' });
  const told = await pregon(['tail', 'x', '--since=first', '--limit=1', '--log=toy:x.db'], { cwd });
  expect(JSON.parse(told.stdout)).toMatchObject({ type: 'T', position: published.stdout.trim() });
  const info = await pregon(['log', 'info'], { cwd });
  expect(info).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('this command does not work on a log in Toy'),
  });
  const bus = await pregon(['bus', 'check'], { cwd });
  expect(bus).toMatchObject({ code: 0, stdout: expect.stringContaining('needs no bus') });
});

it('several workers are refused for a log that only one process may open', async () => {
  const { code, stderr } = await pregon(['run', '0', '--workers=2'], { cwd: configure(TOY_MODULE) });
  expect({ code, stderr }).toMatchObject({ code: 1, stderr: expect.stringMatching(/a toy log .* a single process/) });
});

it('a module without a driver is refused with its place in the configuration', async () => {
  const { code, stderr } = await pregon(['publish', 'x', 'a.b', '1', '--type=T'], {
    cwd: configure('export default { name: "Toy", schemes: [] };'),
  });
  expect({ code, stderr }).toEqual({
    code: 1,
    stderr: 'pregon.yml:2:14 logDrivers[0]: schemes must be a list of URL schemes\n',
  });
});
