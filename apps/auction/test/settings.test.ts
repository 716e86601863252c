import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readSettings } from '../src/settings.js';

describe('settings', () => {
  it('are those of the document where the environment says nothing, or nothing but empty texts', () => {
    const settings = readSettings({ PORT: '', HOST: '' });
    expect(settings).toMatchObject({ host: '127.0.0.1', port: 5001, gatewayPort: 1234, typed: '' });
    expect(settings.databaseFile).toBe(resolve(settings.dataDir, 'auction.db'));
    expect(settings.log).toBe(`sqlite:${resolve(settings.dataDir, 'pregon.db')}`);
    expect(settings.dataDir).toBe(resolve(import.meta.dirname, '../../../data'));
  });

  it('are taken from the environment, and can be typed before another command', () => {
    const settings = readSettings({
      PORT: '6001',
      GATEWAY_PORT: '6002',
      DATA_DIR: "it's here",
      PREGON_LOG: 'sqlite:x',
    });
    expect(settings).toMatchObject({ port: 6001, gatewayPort: 6002, dataDir: resolve("it's here"), log: 'sqlite:x' });
    expect(settings.typed).toBe(`PORT=6001 GATEWAY_PORT=6002 DATA_DIR='it'\\''s here' PREGON_LOG=sqlite:x `);
  });

  it.each(['0', '65536', 'abc', '12.5', '-1', '1e3'])('PORT=%s is refused in a sentence', (port) => {
    expect(() => readSettings({ PORT: port })).toThrow(/^PORT must be a port/);
  });
});
