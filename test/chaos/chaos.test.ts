import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { secondsOf } from '../support/long.js';
import { describeWithOwnPostgres } from '../support/postgres.js';
import { type Exit, startProcess } from '../support/processes.js';
import { describeWithBrokerPrograms } from '../support/rabbitmq.js';
import { eventually } from '../support/waiting.js';

const REPOSITORY = fileURLToPath(new URL('../../', import.meta.url));
const RUN = join(REPOSITORY, 'test/chaos/dist/chaos/run.js');

const SECONDS = secondsOf('PREGON_CHAOS_SECONDS', { quick: 8, check: 18, long: 600 });

/** A fault is due every 2.7 s, but some targets are still busy with their last one. */
const FEWEST_FAULTS = SECONDS / 6;

/** The most time for starting, catching up and comparing, even on a busy machine. */
const BESIDES_MS = 600_000;

describe('Chaos', () => {
  it(
    '[I-1][I-2][I-3][I-5][I-6][I-9][I-11][H-05][H-06][G-4] by kill -9, frozen processes, cut and frozen connections, expiry and revocation costs no client an event: all arrive once, in order, and nothing that is not allowed',
    async () => {
      await expectNothingWrong([]);
    },
    SECONDS * 1_000 + BESIDES_MS,
  );

  it('leaves no process and no file behind when it is interrupted', async () => {
    const run = startProcess([RUN, '--minutes=5']);
    const [, folder = ''] = await run.until(/ in (\S+)\n/);
    // Two application processes, two gateways and the clients.
    const parts = await eventually(
      () => childrenOf(run.pid),
      (pids) => pids.length >= 5,
    );
    expect(existsSync(folder)).toBe(true);
    await expect(run.kill('SIGINT')).resolves.toMatchObject({ code: 130 });
    await eventually(
      () => parts.filter(isRunning),
      (pids) => pids.length === 0,
    );
    expect(existsSync(folder)).toBe(false);
  });

  it('prints its usage if an option is wrong', async () => {
    const exit = await startProcess([RUN, '--mode=else']).exited;
    expect(exit).toMatchObject({ code: 2, stdout: '' });
    expect(exit.stderr).toContain('--mode=embedded|broker');
  });
});

describeWithOwnPostgres('Chaos with PostgreSQL', () => {
  describeWithBrokerPrograms('and RabbitMQ', () => {
    it(
      '[I-1][I-2][I-3][I-5][I-6][I-9][I-10][I-11][G-4] by kill -9 and restarts of broker and database, too, costs no client an event',
      async () => {
        await expectNothingWrong(['--mode=broker']);
      },
      SECONDS * 1_000 + BESIDES_MS,
    );
  });
});

const WRONG = [
  'lost',
  'duplicate',
  'reordered',
  'differing rows',
  'delivered, but not allowed',
  'seen after expiry',
  'seen after a revocation',
  'seen after a ban',
];

async function expectNothingWrong(options: readonly string[]): Promise<void> {
  const exit = await startProcess([RUN, `--minutes=${SECONDS / 60}`, ...options]).exited;
  expect(exit, exit.stdout + exit.stderr).toMatchObject({ code: 0 });
  expect(figure(exit, 'faults')).toBeGreaterThanOrEqual(FEWEST_FAULTS);
  expect(figure(exit, 'events delivered to them')).toBeGreaterThan(1_000);
  for (const wrong of WRONG) expect(figure(exit, wrong)).toBe(0);
}

/** The figure in one row of the printed table. */
function figure({ stdout }: Exit, name: string): number {
  const row = stdout.split('\n').find((line) => line.replaceAll('*', '').startsWith(`| ${name} `));
  return Number(row?.replaceAll(/[*,\s]/g, '').split('|')[2] ?? Number.NaN);
}

function childrenOf(pid: number): number[] {
  const lines = execFileSync('ps', ['-A', '-o', 'ppid=,pid='], { encoding: 'utf8' }).trim().split('\n');
  return lines
    .map((line) => line.trim().split(/\s+/).map(Number))
    .filter(([parent]) => parent === pid)
    .map(([, child = 0]) => child);
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ESRCH') return false;
    throw error;
  }
}
