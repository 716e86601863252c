import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createEvent } from '@pregon/protocol';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { keepCollectionsWhole } from '../../../../test/support/collections.js';
import { openLog } from '../../src/logs/open.js';
import { SocketListener, SocketPeers } from '../../src/logs/sqlite/sockets/socket-folder.js';

keepCollectionsWhole();

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'pregon-private-'));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

function modeOf(path: string): string {
  return (statSync(path).mode & 0o777).toString(8);
}

async function openAndAppend(path: string): Promise<{ modes: Record<string, string>; warnings: string[] }> {
  const warnings: string[] = [];
  const log = await openLog(`sqlite:${path}`, { onWarning: ({ message }) => warnings.push(message) });
  const event = { exchange: 'e', topic: 'a', type: 'T' };
  await log.append([createEvent(event, { id: '1', time: new Date().toISOString() })]);
  const modes = Object.fromEntries(['', '-wal', '-shm'].map((suffix) => [`file${suffix}`, modeOf(path + suffix)]));
  await log.close();
  return { modes, warnings };
}

describe('the files of a log', () => {
  it('[fault B5] are private if the log is new, with the files that SQLite adds and the new folders', async () => {
    const { modes, warnings } = await openAndAppend(join(folder, 'new', 'deep', 'log.db'));
    expect(modes).toEqual({ file: '600', 'file-wal': '600', 'file-shm': '600' });
    expect([modeOf(join(folder, 'new')), modeOf(join(folder, 'new', 'deep'))]).toEqual(['700', '700']);
    expect(warnings).toEqual([]);
  });

  it('[fault B5] keep an existing group mode; a log that every user can read causes one warning', async () => {
    const path = join(folder, 'log.db');
    writeFileSync(path, '');
    chmodSync(path, 0o660);
    chmodSync(folder, 0o755);
    const shared = await openAndAppend(path);
    expect(shared).toEqual({ modes: { file: '660', 'file-wal': '660', 'file-shm': '660' }, warnings: [] });
    chmodSync(path, 0o664);
    const { warnings } = await openAndAppend(path);
    expect(warnings).toEqual([expect.stringMatching(/every user .* can read .*log\.db \(mode 664\).*chmod/)]);
    chmodSync(folder, 0o750);
    expect((await openAndAppend(path)).warnings).toEqual([]);
  });
});

describe('a folder of sockets among temporary files', () => {
  const open = (path: string) => SocketListener.open(path, { onConnection() {} });

  it('[fault B5] is created private', async () => {
    const path = join(tmpdir(), `pregon-test-${process.pid}-own`);
    const listener = await open(path);
    expect(modeOf(path)).toBe('700');
    await listener.close();
    expect(existsSync(path)).toBe(false);
  });

  it('[fault B5] is not used if others may read it, or if it is a link', async () => {
    const path = join(tmpdir(), `pregon-test-${process.pid}-shared`);
    mkdirSync(path);
    chmodSync(path, 0o777);
    const link = join(tmpdir(), `pregon-test-${process.pid}-link`);
    symlinkSync(folder, link);
    try {
      for (const refused of [path, link]) {
        await expect(open(refused)).rejects.toThrow(/must be a folder of the user/);
        writeFileSync(join(refused, 'x.sock'), '');
        const causes: unknown[] = [];
        const peers = new SocketPeers(refused, (cause) => causes.push(cause));
        expect(peers.connections(undefined)).toEqual([]);
        expect(causes).toHaveLength(1);
        peers.close();
      }
    } finally {
      rmSync(link);
      rmSync(path, { recursive: true });
    }
  });
});
