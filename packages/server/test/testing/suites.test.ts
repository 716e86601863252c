import { describe, expect, it } from 'vitest';
import type { Admission, AdmissionRequest } from '../../src/core/ports/admission.js';
import type { Observer } from '../../src/core/ports/observer.js';
import { type MemoryLog, openMemoryLog } from '../../src/logs/memory/memory-log.js';
import { describeAdmission } from '../../src/testing/admission/describe-admission.js';
import { describeEphemeral } from '../../src/testing/ephemeral/describe-ephemeral.js';
import { describeLog } from '../../src/testing/log/describe-log.js';
import { describeObserver } from '../../src/testing/observer/describe-observer.js';
import type { TestRunner } from '../../src/testing/runner.js';

interface Outcome {
  readonly passed: readonly string[];
  readonly failed: readonly string[];
}

/** Collects the tests of a suite as another test runner would, runs those whose name has `only` in it, and says which of them fail. */
async function run(suite: (runner: TestRunner) => void, only = ''): Promise<Outcome> {
  const tests: { name: string; body: () => Promise<void> }[] = [];
  const passed: string[] = [];
  const failed: string[] = [];
  suite({
    describe: (_, body) => body(),
    it: (name, body) => name.includes(only) && tests.push({ name, body }),
  });
  for (const { name, body } of tests) {
    await body().then(
      () => passed.push(name),
      () => failed.push(name),
    );
  }
  return { passed, failed };
}

/** Runs the suite on logs in memory that `change` has made worse. */
function runOnLog(change: (log: MemoryLog) => Partial<MemoryLog>, only = ''): Promise<Outcome> {
  const suite = (runner: TestRunner) =>
    describeLog(runner, {
      name: 'changed',
      capabilities: { trim: true, replace: true },
      async create(options) {
        const log = openMemoryLog(options);
        const changed: MemoryLog = Object.create(log);
        // Private members are those of the log itself.
        for (const name of METHODS) {
          Object.defineProperty(changed, name, { value: log[name].bind(log), configurable: true });
        }
        for (const [name, value] of Object.entries(change(log))) Object.defineProperty(changed, name, { value });
        return {
          log: changed,
          trim: async (maxCount) => void (await log.trim({ maxCount })),
          replace: async () => log.replace(),
          dispose: () => log.close(),
        };
      },
    });
  return run(suite, only);
}

const READING = ['head', 'floor', 'check', 'read', 'detail', 'find', 'locate', 'follow'] as const;
const METHODS = [...READING, 'append', 'secret', 'close'] as const;

describe('the published suite for logs', () => {
  it('passes a log that keeps its promises', async () => {
    const { passed, failed } = await runOnLog(() => ({}));
    expect(failed).toEqual([]);
    expect(passed.length).toBeGreaterThan(60);
  });

  /** What is wrong with a log, in the words of the test that notices it. */
  const wrong: Record<string, (log: MemoryLog) => Partial<MemoryLog>> = {
    'stores a repetition again / with a known source and id': (log) => ({
      append: (events) => log.append(events.map((event) => ({ ...event, id: `${event.id}-${Math.random()}` }))),
    }),
    'takes any point for its own / a point is present': () => ({ check: async () => 'present' }),
    'reads backwards / entries are read in the order of append': (log) => ({
      read: async (request) => {
        const page = await log.read(request);
        return { ...page, entries: page.entries.toReversed() };
      },
    }),
    'skips an event in a page / entries are read in the order of append': (log) => ({
      read: async (request) => {
        const page = await log.read(request);
        return { ...page, entries: page.entries.slice(0, -1) };
      },
    }),
    'makes another secret each time / is 32 random bytes': () => ({
      secret: async () => crypto.getRandomValues(new Uint8Array(32)),
    }),
    'finds nothing / finds an event by its id': () => ({ find: async () => ({ entries: [], complete: true }) }),
    'locates everything at its head / a sequence is located': (log) => ({ locate: () => log.head() }),
    'tells a follower everything twice / following from a point': (log) => ({
      follow: (after, follower) =>
        log.follow(after, {
          appended: (page) => {
            follower.appended(page);
            follower.appended(page);
          },
          replaced: (head) => follower.replaced(head),
          unavailable: (error) => follower.unavailable(error),
          available: () => follower.available(),
        }),
    }),
    'takes events of any size / or too large': (log) => ({ append: (events) => log.append(events.slice(0, 1)) }),
    'goes on after its end / and allows another close': () => ({ close: async () => {} }),
  };
  it.each(Object.entries(wrong))('fails a log that %s', async (name, change) => {
    const [, noticing] = name.split(' / ');
    expect(await runOnLog(() => ({}), noticing)).toMatchObject({ passed: [expect.anything()], failed: [] });
    expect(await runOnLog(change, noticing)).toMatchObject({ passed: [], failed: [expect.anything()] });
  });

  it('names the method that a log lacks although its capabilities promise it', async () => {
    const reasons: unknown[] = [];
    const pending: Promise<unknown>[] = [];
    describeLog(
      {
        describe: (_, body) => body(),
        it: (name, body) => {
          if (name.includes('that one handle appends')) pending.push(body().catch((error) => reasons.push(error)));
        },
      },
      {
        name: 'incomplete',
        capabilities: { another: true },
        async create() {
          const log = openMemoryLog();
          return { log, dispose: () => log.close() };
        },
      },
    );
    await Promise.all(pending);
    expect(reasons).toEqual([expect.objectContaining({ message: expect.stringContaining('promise another()') })]);
  });
});

describe('the published suite for ephemeral messages', () => {
  it('passes a channel that keeps its promises, and fails one whose members receive their own messages', async () => {
    const suite = (echo: boolean) => (runner: TestRunner) =>
      describeEphemeral(runner, {
        name: 'changed',
        async create() {
          const log = openMemoryLog();
          const { ephemeral } = log;
          const join: typeof ephemeral.join = async (hear) => {
            const member = await ephemeral.join(hear);
            return {
              leave: () => member.leave(),
              send(text) {
                member.send(text);
                if (echo) setImmediate(() => hear(text));
              },
              get dropped() {
                return member.dropped;
              },
            };
          };
          const changed = Object.create(log, { ephemeral: { value: { join } }, head: { value: () => log.head() } });
          Object.defineProperty(changed, 'close', { value: () => log.close() });
          return { log: changed, dispose: () => log.close() };
        },
      });
    expect((await run(suite(false))).failed).toEqual([]);
    expect((await run(suite(true), 'to all other members')).failed).toHaveLength(1);
  });
});

describe('the published suite for admissions', () => {
  const runOnAdmission = (admit: Admission['admit']): Promise<Outcome> =>
    run((runner) =>
      describeAdmission(runner, {
        name: 'changed',
        admission: () => ({ name: 'changed', admit }),
        admitted: [{ request: { headers: { cookie: 'session=ada' } }, identity: { iss: 'shop', sub: 'ada' } }],
        refused: [{ request: { headers: { cookie: 'session=unknown' } }, status: 401 }],
      }),
    );
  const ada = { identity: { iss: 'shop', sub: 'ada' } };
  const signIn = { status: 401, message: 'sign in first' };
  const isAda = (cookie: string | undefined) => cookie === 'session=ada';

  it('passes an admission that keeps its promises, also one that takes time', async () => {
    for (const admit of [
      (request: AdmissionRequest) => (isAda(request.headers.cookie) ? ada : signIn),
      async (request: AdmissionRequest) => (isAda(request.headers.cookie) ? ada : signIn),
    ]) {
      expect((await runOnAdmission(admit)).failed).toEqual([]);
    }
  });

  it.each<[name: string, failing: string, admit: Admission['admit']]>([
    ['admits everybody', '[I-9] refuses the other clients', () => ada],
    ['refuses everybody', '[I-9] admits the clients', () => signIn],
    ['finds another identity', '[I-9] admits the clients', () => ({ identity: { iss: 'shop', sub: 'grace' } })],
    [
      'refuses with another status',
      '[I-9] refuses the other',
      (r) => (isAda(r.headers.cookie) ? ada : { ...signIn, status: 403 }),
    ],
    [
      'repeats the cookie',
      'tells a refused client nothing',
      ({ headers: { cookie } }) => (isAda(cookie) ? ada : { ...signIn, message: `no session ${cookie}` }),
    ],
    [
      'throws for a header that it cannot read',
      '[I-8] answers hostile',
      ({ headers: { cookie = '' } }) => {
        if (!cookie.startsWith('session=')) throw new Error('no session');
        return isAda(cookie) ? ada : signIn;
      },
    ],
  ])('fails one that %s', async (_, failing, admit) => {
    const { failed } = await runOnAdmission(admit);
    expect(failed.join('\n')).toContain(failing);
  });

  it('fails one that admits a client only once', async () => {
    let isFirst = true;
    const { failed } = await runOnAdmission(({ headers: { cookie } }) => {
      if (!isAda(cookie)) return signIn;
      if (!isFirst) return signIn;
      isFirst = false;
      return ada;
    });
    expect(failed.join('\n')).toContain('decides in the same way each time');
  });
});

describe('the published suite for observers', () => {
  const runOnObserver = (observer: Observer): Promise<Outcome> =>
    run((runner) => describeObserver(runner, { name: 'changed', observer: () => observer }));

  it('passes an observer with few methods, or none', async () => {
    expect((await runOnObserver({})).failed).toEqual([]);
    expect((await runOnObserver({ opened() {}, refused() {} })).failed).toEqual([]);
  });

  it('fails an observer that throws, returns a promise, or is slow', async () => {
    const throwing: Observer = {
      closed() {
        throw new Error('no');
      },
    };
    expect((await runOnObserver(throwing)).failed.join()).toContain('takes every call');
    const waiting = { opened: () => Promise.resolve() };
    expect((await runOnObserver(waiting)).failed.join()).toContain('takes every call');
    const slow: Observer = {
      opened() {
        const since = process.cpuUsage();
        // By CPU time, which the suite measures: a busy machine gives less of it in the same time.
        while (process.cpuUsage(since).user < 60_000);
      },
    };
    expect((await runOnObserver(slow)).failed.join()).toContain('returns quickly');
  });
});
