import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readSettings } from '../src/settings.js';
import { planGateway } from '../src/supervisor/processes.js';

it('[fault G12] no text of the users application mentions an auction', () => {
  const folder = resolve(import.meta.dirname, '..');
  const files = readdirSync(join(folder, 'src'), { recursive: true, encoding: 'utf8' }).map((file) =>
    join('src', file),
  );
  const texts = [...files, 'package.json', 'pregon.yml'].filter((file) => /\.\w+$/.test(file));
  expect(texts.length).toBeGreaterThan(50);
  expect(texts.filter((file) => /auction/i.test(readFileSync(join(folder, file), 'utf8')))).toEqual([]);
});

describe('settings', () => {
  it('are the documented defaults if the environment has no values, or only empty ones', () => {
    const settings = readSettings({ PORT: '', HOST: '' });
    expect(settings).toMatchObject({ host: '127.0.0.1', port: 5001, gatewayPort: 1234, typed: '' });
    expect(settings).toMatchObject({ databaseUrl: undefined, exchange: 'my_events' });
    expect(settings.databaseFile).toBe(resolve(settings.dataDir, 'users.db'));
    expect(settings.log).toBe(`sqlite:${resolve(settings.dataDir, 'pregon.db')}`);
    expect(settings.uses).toEqual({ database: `sqlite:${settings.databaseFile}`, log: settings.log });
    expect(settings.dataDir).toBe(resolve(import.meta.dirname, '../../../data'));
  });

  it('come from the environment, and can be typed before another command', () => {
    const settings = readSettings({
      PORT: '6001',
      GATEWAY_PORT: '6002',
      DATA_DIR: "it's here",
      PREGON_LOG: 'sqlite:x',
    });
    expect(settings).toMatchObject({ port: 6001, gatewayPort: 6002, dataDir: resolve("it's here"), log: 'sqlite:x' });
    expect(settings.typed).toBe(`PORT=6001 GATEWAY_PORT=6002 DATA_DIR='it'\\''s here' PREGON_LOG=sqlite:x `);
  });

  it.each(['0', '65536', 'abc', '12.5', '-1', '1e3'])('refuse PORT=%s with a sentence', (port) => {
    expect(() => readSettings({ PORT: port })).toThrow(/^PORT must be a port/);
  });

  it('name database and broker, without passwords', () => {
    const databaseUrl = 'postgresql://ada:se%40cret@db.example/users?sslmode=require&sslpassword=se@cret';
    const log = 'amqps://ada:se%40cret@mq.example/?stream=news';
    const settings = readSettings({ DATABASE_URL: databaseUrl, PREGON_LOG: log, EXCHANGE: 'news' });
    expect(settings).toMatchObject({ databaseUrl, log, exchange: 'news' });
    expect(settings.uses.database).toBe('postgresql://ada:***@db.example/users?sslmode=require&sslpassword=***');
    expect(settings.uses.log).toBe('amqps://ada:***@mq.example/?stream=news');
    expect(settings.typed).not.toContain('cret');
  });

  it('[fault G4] are printed before a command that can be pasted: the password comes from the shell, which reports if it is missing', () => {
    const log = 'amqp://ada:secret@localhost/?stream=news';
    const { typed } = readSettings({ PREGON_LOG: log, EXCHANGE: 'news' });
    const PATH = process.env['PATH'] ?? '';
    const paste = (environment: Readonly<Record<string, string>>) =>
      spawnSync('sh', ['-c', `${typed}printenv PREGON_LOG EXCHANGE`], {
        env: { PATH, ...environment },
        encoding: 'utf8',
      });
    expect(paste({ PREGON_LOG: log }).stdout).toBe(`${log}\nnews\n`);
    const without = paste({});
    expect([without.status === 0, without.stdout]).toEqual([false, '']);
    expect(without.stderr).toMatch(/PREGON_LOG: set it as for npm start/);
  });

  it.each([
    ['amqp://guest:guest@localhost', 'PREGON_LOG=amqp://localhost '],
    ['amqps://guest:guest@mq.example:5671/vhost', 'PREGON_LOG=amqps://mq.example:5671/vhost '],
    ['amqp://localhost', 'PREGON_LOG=amqp://localhost '],
  ])('[fault G4] print %s without its default user', (log, typed) => {
    expect(readSettings({ PREGON_LOG: log }).typed).toBe(typed);
  });

  it.each([
    'mysql://ada:secret@db.example/users',
    'postgres:users',
    'postgres://ada:secret#1@db.example:x/users',
    'data/users.db',
  ])('refuse DATABASE_URL=%s with a sentence that does not repeat it', (url) => {
    expect(() => readSettings({ DATABASE_URL: url })).toThrow(/^DATABASE_URL must be postgres:\/\/USER:PASSWORD@/);
    expect(() => readSettings({ DATABASE_URL: url })).not.toThrow(/secret/);
  });

  it.each(['a b', 'a:queue', 'x'.repeat(128)])('refuse EXCHANGE=%s with a sentence', (exchange) => {
    expect(() => readSettings({ EXCHANGE: exchange })).toThrow(/^EXCHANGE must be/);
  });

  it('keep a log with a password out of the arguments of the gateway, which every local user can see', () => {
    const shown = planGateway(readSettings({ PREGON_LOG: 'amqp://mq.example' })).argv;
    expect(shown).toContain('--log=amqp://mq.example');
    const hidden = planGateway(readSettings({ PREGON_LOG: 'amqp://ada:secret@mq.example' })).argv;
    expect(hidden.join(' ')).not.toMatch(/secret|--log/);
  });
});
