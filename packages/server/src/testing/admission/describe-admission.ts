import { isRefusal, parseDecision } from '../../core/admission/decision.js';
import type { Admission, AdmissionRequest, Decision, Identity } from '../../core/ports/admission.js';
import { expect } from '../assertions/expect.js';
import type { TestRunner } from '../runner.js';

/** The parts of a request that matter to the admission; the rest gets defaults. */
export type TestedRequest = Partial<AdmissionRequest>;

/** A kind of admission, for {@link describeAdmission}. */
export interface AdmissionKind {
  readonly name: string;
  /** Creates a new admission. */
  admission(): Admission | Promise<Admission>;
  /** Requests that the admission must admit, and the identity that it must find, if any. */
  readonly admitted: readonly { readonly request: TestedRequest; readonly identity?: Pick<Identity, 'iss' | 'sub'> }[];
  /** Requests that the admission must refuse, and the HTTP status. At least one. */
  readonly refused: readonly { readonly request: TestedRequest; readonly status: number }[];
}

const DEFAULTS: AdmissionRequest = {
  entrance: { kind: 'route', name: 'events' },
  method: 'GET',
  url: '/events',
  httpVersion: '1.1',
  headers: { host: 'localhost:1234' },
  remoteAddress: '127.0.0.1',
  isNew: true,
};

/** Header values that are secrets: no refusal may repeat them. */
const SECRET_HEADERS = ['authorization', 'cookie', 'proxy-authorization'] as const;

const HOSTILE_TEXTS = [
  '',
  ' ',
  '\0',
  '__proto__',
  'x'.repeat(16_000),
  '%',
  '\ud800',
  '"><script>',
  '*',
  '../../etc',
  '{',
];

/** How long an admission may take over one request; the gateway refuses the client after 5 seconds. */
const MOST_MS = 5_000;

/**
 * Tests of the guarantees of {@link Admission}.
 *
 * @param runner the functions of a test runner, such as `describe` and `it` of Vitest or `node:test`
 * @param kind the admission, and requests that it must admit and refuse
 * @example
 * describeAdmission({ describe, it }, {
 *   name: 'members',
 *   admission: () => members,
 *   admitted: [{ request: { headers: { cookie: 'session=ada' } }, identity: { iss: 'shop', sub: 'ada' } }],
 *   refused: [{ request: {}, status: 401 }],
 * });
 */
export function describeAdmission(runner: TestRunner, kind: AdmissionKind): void {
  const { describe, it } = runner;
  const decide = async (request: TestedRequest, admission?: Admission): Promise<Decision> => {
    const decided = admission ?? (await kind.admission());
    return parseDecision(await decided.admit({ ...DEFAULTS, ...request }, undefined));
  };
  describe(`admission: ${kind.name}`, () => {
    it('[I-9] admits the clients that it must admit, with their identity', async () => {
      for (const { request, identity } of kind.admitted) {
        const decision = await decide(request);
        expect(decision !== undefined && isRefusal(decision), JSON.stringify(request)).toBe(false);
        if (identity) expect(decision ?? {}).toMatchObject({ identity });
      }
    });

    it('[I-9] refuses the other clients, with a status', async () => {
      expect(kind.refused.length === 0).toBe(false);
      for (const { request, status } of kind.refused) {
        expect((await decide(request)) ?? {}, JSON.stringify(request)).toMatchObject({ status });
      }
    });

    it('tells a refused client nothing of its own secrets', async () => {
      for (const { request } of kind.refused) {
        const told = JSON.stringify((await decide(request)) ?? {});
        const values = SECRET_HEADERS.map((name) => request.headers?.[name]).filter((value) => value !== undefined);
        for (const value of values) expect(value.length > 3 && told.includes(value), told).toBe(false);
      }
    });

    it('decides in the same way each time, and for each client alone', async () => {
      const admission = await kind.admission();
      for (let round = 0; round < 2; round++) {
        const admitted = await Promise.all(kind.admitted.map(({ request }) => decide(request, admission)));
        expect(admitted.filter((decision) => decision !== undefined && isRefusal(decision))).toEqual([]);
        const refused = await Promise.all(kind.refused.map(({ request }) => decide(request, admission)));
        expect(refused.every((decision) => decision !== undefined && isRefusal(decision))).toBe(true);
      }
    });

    it('[I-8] answers hostile requests with a decision, in time, and is unharmed by them', async () => {
      const admission = await kind.admission();
      const names = ['authorization', 'cookie', 'origin', 'host', 'x-forwarded-for', 'sec-websocket-protocol'];
      for (const text of HOSTILE_TEXTS) {
        const headers = Object.fromEntries(names.map((name) => [name, text]));
        const requests = [
          { headers },
          { url: text },
          { remoteAddress: text },
          { headers: { authorization: `Bearer ${text}` } },
        ];
        for (const request of requests) {
          const since = performance.now();
          await decide(request, admission);
          expect(performance.now() - since < MOST_MS, `${JSON.stringify(request).slice(0, 200)} took too long`).toBe(
            true,
          );
        }
      }
      for (const { request, status } of kind.refused) {
        expect((await decide(request, admission)) ?? {}).toMatchObject({ status });
      }
    });
  });
}
