import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../support/cleanup.js';
import { PlainClient } from '../../support/gateway/plain-client.js';
import { pregon, type RunningProcess, startPregon } from '../../support/processes.js';
import { eventually } from '../../support/waiting.js';

/** A gateway and a client on it. */
interface Place {
  readonly gateway: RunningProcess;
  readonly client: PlainClient;
}

/** The limits are so high that no message of these tests is dropped for a slow client or slowed down by a rate. */
const CONFIGURATION = `
exchanges: [x]
websocket:
  routes: { chat: { path: /chat, broadcast: true } }
  maxBufferedBytes: 67108864
  maxFramesPerSecond: 0
  maxIncomingBytesPerSecond: 0
`;

/** Creates a folder whose gateways share one log. */
function town(): string {
  const cwd = temporaryFolder();
  writeFileSync(join(cwd, 'pregon.yml'), CONFIGURATION);
  return cwd;
}

async function open(cwd: string, flags: readonly string[] = []): Promise<Place> {
  const gateway = startPregon(['run', '127.0.0.1:0', '--log=sqlite:log.db', ...flags], { cwd });
  const [, port] = await gateway.until(/listens on 127\.0\.0\.1:(\d+) /);
  return { gateway, client: await PlainClient.open(`ws://127.0.0.1:${port}/chat`) };
}

/** Sends numbers, each followed by some padding. */
function say({ client }: Place, numbers: readonly number[], padding = 0): void {
  for (const n of numbers) client.socket.send(`${n} ${'x'.repeat(padding)}`);
}

function numberOf(message: string | Buffer | undefined): number {
  return Number.parseInt(String(message), 10);
}

/** Waits until the last received number is this one, and returns all numbers. */
async function hears({ client: { messages } }: Place, last: number, deadlineMs?: number): Promise<number[]> {
  await messages.until(() => numberOf(messages.all.at(-1)) === last, `the number ${last}`, deadlineMs);
  return messages.all.map(numberOf);
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, index) => from + index);
}

/** Resident memory in bytes. */
function memory({ gateway }: Place): number {
  return Number(execFileSync('ps', ['-o', 'rss=', '-p', String(gateway.pid)], { encoding: 'utf8' })) * 1_024;
}

describe('Several gateways on one log', () => {
  it('[000-09] relay a message of a client to the clients of all gateways, but not back to the sender', async () => {
    const cwd = temporaryFolder();
    const flags = ['--route=chat', '--exchange=x', '--broadcast'];
    const [one, other] = [await open(cwd, flags), await open(cwd, flags)];
    one.client.socket.send('hello');
    expect(await other.client.messages.count(1)).toEqual(['hello']);
    other.client.socket.send(Buffer.from([0, 1, 255]));
    expect(await one.client.messages.count(1)).toEqual([Buffer.from([0, 1, 255])]);
    expect(other.client.messages.all).toEqual(['hello']);
    const { stdout } = await pregon(['log', 'info', '--log=sqlite:log.db'], { cwd });
    expect(stdout).toMatch(/events +0\b/);
  });

  it('[I-1] relay the messages of each client in order, although all clients send at the same time', async () => {
    const cwd = town();
    const places = [await open(cwd), await open(cwd), await open(cwd)];
    for (const [who, { client }] of places.entries()) {
      for (let n = 0; n < 2_000; n++) client.socket.send(`${who} ${n}`);
    }
    for (const [listener, { client }] of places.entries()) {
      const all = (await client.messages.count(4_000)).map(String);
      for (const speaker of places.keys()) {
        const said = all.filter((text) => text.startsWith(`${speaker} `)).map((text) => Number(text.slice(2)));
        expect(said).toEqual(speaker === listener ? [] : range(0, 1_999));
      }
    }
  });

  it('[I-8] go on if one of them is killed with kill -9, and receive its messages again after its restart', async () => {
    const cwd = town();
    const [one, other, killed] = [await open(cwd), await open(cwd), await open(cwd)];
    say(one, range(1, 500));
    await hears(killed, 500);
    await killed.gateway.kill('SIGKILL');
    say(one, range(501, 1_000));
    const again = await open(cwd);
    say(one, [1_001]);
    expect(await hears(other, 1_001)).toEqual(range(1, 1_001));
    await hears(again, 1_001);
    say(again, [2_000]);
    await Promise.all([hears(one, 2_000), hears(other, 2_000)]);
    expect(readdirSync(join(cwd, 'log.db-ephemeral'))).toHaveLength(3);
    for (const { gateway } of [one, other, again]) expect(await gateway.kill('SIGTERM')).toMatchObject({ code: 0 });
    expect(existsSync(join(cwd, 'log.db-ephemeral'))).toBe(false);
  });

  it('[I-7][I-8] are not delayed by one that is suspended amid 10,000 messages; it costs bounded memory, and goes on', async () => {
    const cwd = town();
    const [one, other, stopped] = [await open(cwd), await open(cwd), await open(cwd)];
    say(one, range(1, 3_000), 500);
    await hears(stopped, 3_000);
    stopped.gateway.signal('SIGSTOP');
    say(one, range(3_001, 10_000), 500);
    expect(await hears(other, 10_000)).toEqual(range(1, 10_000));

    const before = memory(one);
    for (let n = 10_001; n < 14_000; n += 50) {
      say(one, range(n, n + 49), 20_000);
      await hears(other, n + 49);
    }
    // 80 MB were sent. All but a few megabytes of what the suspended gateway did not take was dropped.
    expect(memory(one) - before).toBeLessThan(60_000_000);
    expect(one.gateway.stdout).toMatch(/warn .*the log reports.*does not read/);
    const took: number[] = [];
    for (let n = 14_001; n <= 14_050; n++) {
      const said = performance.now();
      say(one, [n]);
      await hears(other, n);
      took.push(performance.now() - said);
    }
    expect(took.sort((a, b) => a - b)[25]).toBeLessThan(1_000);

    stopped.gateway.signal('SIGCONT');
    await eventually(
      () => {
        say(one, [20_000]);
        return numberOf(stopped.client.messages.all.at(-1));
      },
      (last) => last === 20_000,
    );
    const numbers = stopped.client.messages.all.map(numberOf);
    expect(numbers.slice(0, 10_000)).toEqual(range(1, 10_000));
    expect(numbers).toEqual([...numbers].sort((a, b) => a - b));
    expect(await hears(other, 20_000)).toContain(14_050);
  });
});
