import { describe, expect, it } from 'vitest';
import { AdmissionChain } from '../../../src/core/admission/admission-chain.js';
import { socketAddress } from '../../../src/core/admission/admission-request.js';
import { uncounted } from '../../../src/core/admission/clients.js';
import { PendingAdmissions } from '../../../src/core/admission/pending-admissions.js';
import { Question } from '../../../src/core/admission/question.js';
import type { Admission, AdmissionRequest, Decision, Identity } from '../../../src/core/ports/admission.js';
import { FakeClock } from '../support/fake-clock.js';

const TODAY = Date.UTC(2030, 0, 1);
const ADA: Identity = { iss: 'shop', sub: 'ada', issuedAtMs: TODAY };
const REFUSED = { status: 403, message: 'no' };

const clients = uncounted(socketAddress);

const CANDIDATE = {
  request: { url: '/events', httpVersion: '1.1', headers: {}, socket: { remoteAddress: '127.0.0.1' } },
  entrance: { kind: 'route', name: 'events' },
};

type Decide = (identity: Identity | undefined) => unknown;

/** Admissions that return anything, as JavaScript can. */
function chainOf(...decisions: readonly Decide[]) {
  const clock = new FakeClock();
  const paced: (() => void)[] = [];
  const failures: string[] = [];
  const pending = new PendingAdmissions({ clients, clock, pace: (resume) => paced.push(resume), mostPending: 2 });
  const admissions = decisions.map((decide, index): Admission => {
    const admit: unknown = (_: AdmissionRequest, identity: Identity | undefined) => decide(identity);
    return {
      name: `${index}`,
      admit: (request, identity) => Reflect.apply(Object(admit), undefined, [request, identity]),
    };
  });
  const chain = new AdmissionChain(admissions, {
    pending,
    clients,
    wallClock: () => TODAY + clock.now(),
    onFailed: (name, { message }) => failures.push(`${name}: ${message}`),
  });
  const resume = async () => {
    await settle();
    for (const next of paced.splice(0)) next();
    await settle();
  };
  return {
    chain,
    clock,
    pending,
    failures,
    resume,
    decide: (isGone = () => false) => chain.decide({ ...CANDIDATE, isGone }),
  };
}

/** Lets all promises that are settled be heard. */
async function settle(): Promise<void> {
  for (let n = 0; n < 10; n++) await Promise.resolve();
}

describe('[I-11] an identity without a time of issue', () => {
  it('counts as issued when its admission was asked, however long the answers took', async () => {
    const { clock, resume, decide } = chainOf(
      () => ({ identity: { iss: 'shop', sub: 'ada' } }),
      () => Promise.resolve(undefined),
    );
    const atOnce = decide();
    clock.advance(3_000);
    await resume();
    expect(await atOnce).toEqual({ identity: ADA });

    let answer: (decision: unknown) => void = () => {};
    const late = chainOf(() => new Promise((resolve) => (answer = resolve)));
    const verdict = late.decide();
    late.clock.advance(3_000);
    answer({ identity: { iss: 'shop', sub: 'ada' } });
    await late.resume();
    expect(await verdict).toEqual({ identity: ADA });
  });
});

describe('[I-9] a chain of admissions', () => {
  it('admits an anonymous client if no admission objects', () => {
    expect(chainOf().decide()).toEqual({});
    expect(
      chainOf(
        () => undefined,
        () => ({}),
      ).decide(),
    ).toEqual({});
  });

  it('admits a client with the identity that was found last, and tells each admission what the ones before it found', () => {
    const told: unknown[] = [];
    const grace: Identity = { ...ADA, sub: 'grace' };
    const listen = (decision?: Decision) => (identity: Identity | undefined) => {
      told.push(identity);
      return decision;
    };
    const { decide } = chainOf(listen(), listen({ identity: ADA }), listen({ identity: grace }), listen());
    expect(decide()).toEqual({ identity: grace });
    expect(told).toEqual([undefined, undefined, ADA, grace]);
  });

  it('asks nobody after the first refusal', () => {
    const { decide } = chainOf(
      () => REFUSED,
      () => expect.unreachable('asked after a refusal'),
    );
    expect(decide()).toEqual(REFUSED);
  });

  it('decides at once if no admission returns a promise', () => {
    expect(chainOf(() => ({ identity: ADA })).decide()).not.toBeInstanceOf(Promise);
  });

  it('waits for a promise, and goes on with the next admission only then', async () => {
    const asked: number[] = [];
    const { decide, resume } = chainOf(
      () => Promise.resolve({ identity: ADA }),
      () => void asked.push(1),
      () => Promise.resolve(REFUSED),
    );
    const verdict = decide();
    await settle();
    expect(asked).toEqual([]);
    await resume();
    expect(asked).toEqual([1]);
    await resume();
    expect(await verdict).toEqual(REFUSED);
  });

  it.each<[name: string, decision: unknown]>([
    ['null', null],
    ['true', true],
    ['a string', 'yes'],
    ['a list', []],
    ['a Response', new Response('no', { status: 401 })],
    ['an object with an unknown field', { allowed: true }],
    ['an identity that is a string', { identity: 'ada' }],
    ['an identity without a subject', { identity: { iss: 'shop' } }],
    ['an identity with an empty subject', { identity: { iss: 'shop', sub: '' } }],
    ['an identity with a subject that is a number', { identity: { iss: 'shop', sub: 42 } }],
    ['an identity whose end is not a number', { identity: { ...ADA, expiresAtMs: 'soon' } }],
    ['an identity whose end is NaN', { identity: { ...ADA, expiresAtMs: Number.NaN } }],
    ['an identity that was issued at a time that is not a number', { identity: { ...ADA, issuedAtMs: 'now' } }],
    ['an identity whose token has an empty id', { identity: { ...ADA, jti: '' } }],
    ['a refusal with status 200', { status: 200, message: 'fine' }],
    ['a refusal whose status is a string', { status: '403', message: 'no' }],
    ['a refusal without a message', { status: 403 }],
    ['a refusal with a fraction as its status', { ...REFUSED, status: 403.5 }],
    ['a refusal with a line break in a header', { ...REFUSED, headers: { 'X-A': 'a\r\nSet-Cookie: b=c' } }],
    ['a refusal with a header that has no valid name', { ...REFUSED, headers: { 'X A': 'a' } }],
    ['a refusal with a header that is a number', { ...REFUSED, headers: { 'X-A': 1 } }],
    [
      'a refusal with a close code that cannot be sent',
      { ...REFUSED, close: { code: 5, reason: '', reconnect: true } },
    ],
    ['a refusal whose reason is not text', { ...REFUSED, reason: 12n }],
  ])('refuses the client if an admission returns %s', async (_, decision) => {
    const now = chainOf(() => decision);
    expect(now.decide()).toMatchObject({ status: expect.any(Number) });
    const later = chainOf(() => Promise.resolve(decision));
    const verdict = later.decide();
    await later.resume();
    expect(await verdict).toMatchObject({ status: expect.any(Number) });
  });

  it.each<[name: string, decision: () => object]>([
    [
      'an object that throws when it is examined',
      () =>
        new Proxy(
          {},
          {
            has() {
              throw new Error('no');
            },
          },
        ),
    ],
    [
      'an object whose `then` throws',
      () => ({
        // biome-ignore lint/suspicious/noThenProperty: it stands for a hostile object
        get then() {
          throw new Error('no');
        },
      }),
    ],
  ])('refuses the client with 503 if an admission returns %s', (_, decision) => {
    const { decide, failures } = chainOf(decision);
    expect(decide()).toMatchObject({ status: 503 });
    expect(failures).toEqual(['0: no']);
  });

  it('sends what it has checked: a field of a refusal is read once', () => {
    const values: unknown[] = ['no', 12n];
    const { decide } = chainOf(() => ({
      status: 403,
      get message() {
        return values.shift();
      },
    }));
    const verdict = decide();
    expect(JSON.parse(JSON.stringify(verdict))).toEqual(REFUSED);
  });

  it('refuses the client with 503 if an admission throws or rejects, and says which one it was', async () => {
    const throwing = chainOf(
      () => undefined,
      () => {
        throw new Error('database s3cret is down');
      },
    );
    const verdict = throwing.decide();
    expect(verdict).toMatchObject({ status: 503, headers: { 'Retry-After': '1' } });
    expect(JSON.stringify(verdict)).not.toContain('s3cret');
    expect(throwing.failures).toEqual(['1: database s3cret is down']);
    const rejecting = chainOf(() => Promise.reject(new Error('down')));
    const late = rejecting.decide();
    await rejecting.resume();
    expect(await late).toMatchObject({ status: 503 });
    expect(rejecting.failures).toEqual(['0: down']);
  });

  it('waits for a promise of another library', async () => {
    const thenable = Object.assign(Object.create(null), {
      // biome-ignore lint/suspicious/noThenProperty: it stands for a promise of another library
      then: (resolve: (decision: Decision) => void) => resolve(REFUSED),
    });
    const { decide, resume } = chainOf(() => thenable);
    const verdict = decide();
    expect(verdict).toBeInstanceOf(Promise);
    await resume();
    expect(await verdict).toEqual(REFUSED);
  });
});

describe('[I-7] clients that wait to be admitted', () => {
  const never = () => new Promise<Decision>(() => {});

  it('are refused after 5 seconds', async () => {
    const { decide, clock, pending, resume } = chainOf(never);
    const verdict = decide();
    clock.advance(4_999);
    await settle();
    expect(pending.count).toBe(1);
    clock.advance(1);
    await resume();
    expect(await verdict).toMatchObject({ status: 503, reason: 'admission' });
    expect(pending.count).toBe(0);
  });

  it('are limited in number; one that leaves the queue makes room', async () => {
    const { decide, clock, resume } = chainOf(never);
    const waiting = [decide(), decide()];
    expect(await decide()).toMatchObject({ status: 503, message: 'too many clients wait to be admitted' });
    clock.advance(5_000);
    await resume();
    await Promise.all(waiting);
    const next = decide();
    clock.advance(5_000);
    await resume();
    expect(await next).toMatchObject({ message: 'it took too long to decide whether this client is admitted' });
  });

  it('are asked about only if they have a place, which ends with an answer that is there at once', async () => {
    const asked: string[] = [];
    const question = (answer: () => Decision | Promise<Decision>) => new Question(answer);
    const { decide, pending } = chainOf(() =>
      question(() => {
        asked.push('at once');
        return { identity: ADA };
      }),
    );
    for (let n = 0; n < 5; n++) expect(decide()).toEqual({ identity: ADA });
    expect([asked.length, pending.count]).toEqual([5, 0]);

    const slow = chainOf(() =>
      question(() => {
        asked.push('late');
        return never();
      }),
    );
    for (let n = 0; n < 5; n++) void slow.decide();
    expect(asked.filter((one) => one === 'late')).toHaveLength(2);
    expect(await slow.decide()).toMatchObject({ status: 503, message: 'too many clients wait to be admitted' });
  });

  it.each(['throws', 'is no decision'])('have no place any more if the answer to a question %s', (what) => {
    const { decide, pending } = chainOf(
      () =>
        new Question(() => {
          if (what === 'throws') throw new Error('no');
          return JSON.parse('[]');
        }),
    );
    expect(decide()).toMatchObject({ status: 503 });
    expect(pending.count).toBe(0);
  });

  it('are not asked about if they have left, or waited for too long, before it is their turn', async () => {
    const needed: (() => boolean)[] = [];
    let isGone = false;
    const { decide, clock, resume } = chainOf(
      () =>
        new Question((isNeeded) => {
          needed.push(isNeeded);
          return never();
        }),
    );
    const verdicts = [decide(() => isGone), decide()];
    expect(needed.map((isNeeded) => isNeeded())).toEqual([true, true]);
    isGone = true;
    expect(needed.map((isNeeded) => isNeeded())).toEqual([false, true]);
    clock.advance(5_000);
    await resume();
    await Promise.all(verdicts);
    expect(needed.map((isNeeded) => isNeeded())).toEqual([false, false]);
  });

  it('are not admitted if they have left, and no further admission is asked', async () => {
    let isGone = false;
    const { decide, resume } = chainOf(
      () => Promise.resolve({ identity: ADA }),
      () => expect.unreachable('asked for a client that has left'),
    );
    const verdict = decide(() => isGone);
    isGone = true;
    await resume();
    expect(await verdict).toEqual({ status: 503, message: 'the client has left' });
  });

  it('are not admitted if they leave while they wait for their turn', async () => {
    let isGone = false;
    const { decide, resume } = chainOf(() => Promise.resolve({ identity: ADA }));
    const verdict = decide(() => isGone);
    await settle();
    isGone = true;
    await resume();
    expect(await verdict).toMatchObject({ status: 503 });
  });
});
