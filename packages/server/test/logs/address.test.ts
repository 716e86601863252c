import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../../../test/support/cleanup.js';
import { loadConfiguration } from '../../src/config/load-configuration.js';
import { assertLogUrl, openLog } from '../../src/logs/open.js';
import { sqlitePath } from '../../src/logs/sqlite/sqlite-address.js';

const PATHS: readonly (readonly [url: string, path: string])[] = [
  ['sqlite:data/pregon.db', 'data/pregon.db'],
  ['sqlite:./~/x.db', './~/x.db'],
  ['sqlite:/srv/x.db', '/srv/x.db'],
  ['sqlite:///srv/x.db', '/srv/x.db'],
  ['sqlite:////srv/x.db', '/srv/x.db'],
  ['sqlite:~/pregon/x.db', join(homedir(), 'pregon/x.db')],
  ['SQLite:x #1 100%.db', 'x #1 100%.db'],
  ['sqlite:C:\\data\\x.db', 'C:\\data\\x.db'],
];

const REFUSED: readonly (readonly [url: string, advice: RegExp])[] = [
  ['sqlite:', /the path is missing/],
  ['sqlite://data/x.db', /write sqlite:data\/x\.db for a relative path, sqlite:\/data\/x\.db for an absolute one/],
  ['sqlite://localhost/srv/x.db', /the name of a host/],
  ['sqlite:x.db?mode=ro', /write sqlite:x\.db/],
  ['sqlite:///srv/x.db?cache=shared&mode=rw', /write sqlite:\/\/\/srv\/x\.db/],
  ['sqlite::memory:', /name a file, such as sqlite:data\/pregon\.db/],
  ['sqlite:file::memory:?cache=shared', /name a file/],
  ['sqlite:file:x.db', /write sqlite:x\.db/],
  ['sqlite:file:///srv/x.db?mode=ro', /write sqlite:\/srv\/x\.db/],
  ['sqlite:~', /sqlite:~\/FILE/],
  ['sqlite:~ada/x.db', /the path of that home directory/],
  ['sqlite:~/', /sqlite:~\/FILE/],
  ['sqlite:///~/pregon/x.db', /write sqlite:~\/pregon\/x\.db/],
  ['sqlite:$HOME/x.db', /\$HOME is not expanded here/],
  ['sqlite:%USERPROFILE%\\x.db', /%USERPROFILE% is not expanded here/],
  ['sqlite:data/', /sqlite:data\/pregon\.db/],
  ['sqlite: x.db', /begins or ends with white space/],
  ['sqlite:x.db\n', /begins or ends with white space/],
  ['sqlite:a\0b', /NUL/],
  ['file:x.db', /write sqlite:x\.db/],
  ['file:///srv/x.db?mode=ro', /write sqlite:\/srv\/x\.db/],
  ['sqlite3:x.db', /write sqlite:x\.db/],
  ['libsql:x.db', /write sqlite:x\.db/],
  ['data/pregon.db', /write sqlite:data\/pregon\.db/],
  ['./x.db', /write sqlite:\.\/x\.db/],
  [':memory:', /not supported/],
  ['memory:', /no other process can read it/],
];

describe('[fault F3] the address of a log in SQLite', () => {
  it.each(PATHS)('%s names the file %s', (url, path) => {
    expect(sqlitePath(url)).toBe(path);
    assertLogUrl(url);
  });

  it.each(REFUSED)('%j is refused with a correction, and no file is created', async (url, advice) => {
    const folder = temporaryFolder();
    const before = readdirSync('.').length;
    await expect(openLog(url)).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringMatching(advice),
    });
    expect(() => assertLogUrl(url)).toThrow(/sqlite:PATH/);
    expect([readdirSync('.').length, readdirSync(folder)]).toEqual([before, []]);
  });

  it('means the same in a configuration as on the command line, except that a plain path is relative to the file', () => {
    const logOf = (text: string) => {
      const folder = temporaryFolder();
      writeFileSync(join(folder, 'pregon.yml'), `log: ${JSON.stringify(text)}\n`);
      return {
        folder,
        log: loadConfiguration({ file: join(folder, 'pregon.yml'), cwd: '/', variables: {} }).log ?? '',
      };
    };
    const relative = logOf('sqlite:x.db');
    expect(sqlitePath(relative.log)).toMatch(/x\.db$/);
    expect(relative.log).not.toBe('sqlite:x.db');
    for (const url of ['sqlite:~/x.db', 'sqlite:///srv/x.db']) expect(logOf(url).log).toBe(url);
    for (const [url] of REFUSED) {
      if (url !== '' && !/[\0\n]/.test(url)) expect(() => assertLogUrl(logOf(url).log), url).toThrow(/sqlite:PATH/);
    }
  });

  it('cannot name a folder', async () => {
    const folder = temporaryFolder();
    await expect(openLog(`sqlite:${folder}`)).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringMatching(/is a folder/),
    });
  });

  it('opens a file in a folder by three slashes', async () => {
    const path = join(temporaryFolder(), 'log.db');
    const log = await openLog(`sqlite://${path}`);
    await log.close();
    expect(existsSync(path)).toBe(true);
  });
});
