import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RefusalLog } from '../../../src/core/refusals/refusal-log.js';
import { FakeClock } from '../support/fake-clock.js';

const TEN_MINUTES_MS = 600_000;

function logged() {
  const clock = new FakeClock();
  const lines: { fields: object; message: string }[] = [];
  const log = new RefusalLog({ warn: (fields, message) => lines.push({ fields, message }) }, clock);
  return { clock, lines, log };
}

describe('[fault G2] refused clients', () => {
  it('are logged once for each reason, origin and subject, with a remedy', () => {
    const { lines, log } = logged();
    for (let attempt = 0; attempt < 100; attempt++) {
      log.tell({ reason: 'origin', origin: 'https://a.example', message: 'no', remedy: 'allow it' });
      log.tell({ reason: 'origin', origin: 'https://b.example', message: 'no' });
      log.tell({ reason: 'route', origin: 'https://a.example', subject: '/x', message: 'none' });
    }
    expect(lines).toEqual([
      { fields: { reason: 'origin', origin: 'https://a.example' }, message: 'refused: no; allow it' },
      { fields: { reason: 'origin', origin: 'https://b.example' }, message: 'refused: no' },
      { fields: { reason: 'route', origin: 'https://a.example', subject: '/x' }, message: 'refused: none' },
    ]);
  });

  it('are logged again after ten minutes, with the number of refusals in between', () => {
    const { clock, lines, log } = logged();
    const tell = () => log.tell({ reason: 'origin', message: 'no' });
    for (let attempt = 0; attempt < 8; attempt++) tell();
    clock.advance(TEN_MINUTES_MS - 1);
    tell();
    expect(lines).toHaveLength(1);
    clock.advance(1);
    tell();
    expect(lines.map(({ fields }) => fields)).toEqual([{ reason: 'origin' }, { reason: 'origin', since: 8 }]);
  });

  it('of many invented origins do not hide refusals for other reasons', () => {
    const { lines, log } = logged();
    for (let n = 0; n < 1_000; n++) log.tell({ reason: 'origin', origin: `https://${n}.example`, message: 'no' });
    expect(lines).toHaveLength(20);
    log.tell({ reason: 'route', subject: '/x', message: 'none' });
    expect(lines.at(-1)).toEqual({
      fields: { reason: 'route', subject: '/x', others: 980 },
      message: 'refused: none',
    });
  });

  it('cause a bounded number of lines, also if an application invents reasons', () => {
    const { lines, log } = logged();
    for (let n = 0; n < 1_000; n++) log.tell({ reason: `reason ${n}`, message: 'no' });
    expect(lines).toHaveLength(200);
  });

  it('cause a bounded number of lines of bounded length, whatever clients invent', () => {
    const texts = fc.string({ maxLength: 3_000 });
    fc.assert(
      fc.property(
        fc.array(fc.record({ reason: fc.constantFrom('a', 'b'), origin: texts, subject: texts }), { maxLength: 300 }),
        (refused) => {
          const { clock, lines, log } = logged();
          for (const one of refused) log.tell({ ...one, message: one.origin });
          expect(lines.length).toBeLessThanOrEqual(40);
          for (const line of lines) expect(JSON.stringify(line).length).toBeLessThan(6_000);
          clock.advance(TEN_MINUTES_MS);
          log.tell({ reason: 'c', message: 'the next' });
          const different = new Set(refused.map((one) => JSON.stringify(one))).size;
          if (different > 40) expect(lines.at(-1)?.fields).toHaveProperty('others');
          expect(lines.at(-1)?.message).toBe('refused: the next');
        },
      ),
      { numRuns: 50 },
    );
  });
});
