import { type Child, startChild } from './child.js';
import { assertPortIsFree, waitForPort } from './port.js';
import { loopbackOf, type ProcessPlan } from './processes.js';

/**
 * After this time, a line reports that a process does not accept connections yet. It may wait for a database or a
 * broker.
 */
const PATIENCE_MS = 5_000;

export interface SuperviseOptions {
  readonly host: string;
  readonly cwd: string;
  /** The settings of this run in shell syntax, to be put before a command: `PORT=6001 `. */
  readonly typed: string;
  /** The resources that the processes share, by role. */
  readonly uses: Readonly<Record<string, string>>;
  readonly print: (line: string) => void;
  /** Resolves when all processes must stop. */
  readonly stopped: Promise<unknown>;
  /** How often a line reports processes that are not ready. @default 5000 */
  readonly patienceMs?: number;
}

/**
 * Starts the processes and prints their addresses. Reports if one ends by itself while the others continue, and stops
 * them all at the end.
 *
 * @returns the exit code: 0 if stopped, 1 if a process could not be started or all have ended by themselves
 */
export async function supervise(plans: readonly ProcessPlan[], options: SuperviseOptions): Promise<number> {
  const { host, cwd, print, stopped } = options;
  for (const { port, variable } of plans) await assertPortIsFree(host, port, variable);

  const children = plans.map((plan) => startChild({ name: plan.name, argv: plan.argv, cwd, print }));
  try {
    const failure = await Promise.race([whenReady(plans, children, options), stopped.then(() => 'stopped' as const)]);
    if (failure === 'stopped') return 0;
    if (failure !== undefined) {
      print(failure);
      return 1;
    }
    for (const line of welcome(plans, children, options)) print(line);
    let stopping = false;
    const ends = children.map(async (child, index) => {
      const how = await child.ended;
      const plan = plans[index];
      if (!stopping && plan) for (const line of farewell(plan, child, how, options)) print(line);
    });
    const code = await Promise.race([stopped.then(() => 0), Promise.all(ends).then(() => 1)]);
    stopping = true;
    return code;
  } finally {
    await Promise.all(children.map((child) => child.stop()));
  }
}

/** Resolves when all processes accept connections; with a line that describes the failure if one ends before. */
async function whenReady(
  plans: readonly ProcessPlan[],
  children: readonly Child[],
  { host, print, patienceMs = PATIENCE_MS }: SuperviseOptions,
): Promise<string | undefined> {
  const giveUp = new AbortController();
  const awaited = new Set(plans.map(({ title }) => title));
  const ready = plans.map(async ({ title, port }) => {
    await waitForPort(loopbackOf(host), port, giveUp.signal);
    awaited.delete(title);
  });
  const ended = plans.map(async ({ title }, index) => {
    return `The ${title} ended before all were ready (${await children[index]?.ended}).`;
  });
  const notice = setInterval(() => {
    print(`  Still waiting for the ${[...awaited].join(' and the ')}. Ctrl-C ends it.`);
  }, patienceMs);
  try {
    return await Promise.race([Promise.all(ready).then(() => undefined), ...ended]);
  } finally {
    clearInterval(notice);
    giveUp.abort();
  }
}

function welcome(
  plans: readonly ProcessPlan[],
  children: readonly Child[],
  { typed, uses }: SuperviseOptions,
): string[] {
  const lines = plans.map(
    ({ title, url }, index) => `  ${title.padEnd(12)} ${url.padEnd(30)} pid ${children[index]?.pid}`,
  );
  const used = Object.entries(uses).map(([what, name]) => `  ${what.padEnd(12)} ${name}`);
  const gateway = children.find(({ name }) => name === 'gateway');
  const both = plans.length > 1 && gateway;
  const tryIt = `  Try it: kill -9 ${gateway?.pid}, change some users, then in another terminal: ${typed}npm run gateway`;
  return ['', ...lines, ...used, '', ...(both ? [tryIt, ''] : [])];
}

function farewell(plan: ProcessPlan, child: Child, how: string, { typed }: SuperviseOptions): string[] {
  return [
    '',
    `  The ${plan.title} (pid ${child.pid}) ended: ${how}. ${plan.meanwhile}`,
    `  To start it again, in another terminal: ${typed}npm run ${plan.name}`,
    '',
  ];
}
