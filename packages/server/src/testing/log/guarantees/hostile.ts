import type { PregonEvent } from '@pregon/protocol';
import { expect } from '../../assertions/expect.js';
import type { TestRunner } from '../../runner.js';
import { numbered } from '../events.js';
import type { Open } from '../open.js';
import { idOf, parsePayload, readAll } from '../recorder.js';

/** Events with unusual contents, and events beyond the limits. */
export function describeHostile({ it }: TestRunner, open: Open): void {
  const payloads: Record<string, unknown> = {
    'a newline, a CR and a NUL': 'a\nb\r\nc\0d\u2028e',
    'lone surrogates': '\ud800 and \udfff',
    'text beyond the basic plane': '𝄞 漢字 é',
    'an empty object': {},
    'an empty text': '',
    null: null,
    'a deep structure': { a: [[[[{ b: '"\\' }]]]] },
    '1 MB of text': 'x'.repeat(1_000_000),
  };
  for (const [name, data] of Object.entries(payloads)) {
    it(`returns data unchanged: ${name}`, async () => {
      const { log } = await open();
      await log.append([numbered(1, { data }), numbered(2)]);
      const entries = await readAll(log);
      expect(entries.map(parsePayload)).toEqual([numbered(1, { data }), numbered(2)]);
    });
  }

  it('adds no data to an event without data', async () => {
    const { log } = await open();
    const { data: _, ...bare } = numbered(1);
    await log.append([bare]);
    expect((await readAll(log)).map(parsePayload)).toEqual([bare]);
  });

  it('[I-3] distinguishes ids and names that differ only in unusual characters', async () => {
    const { log } = await open();
    const odd = ['a\0b', 'a\0c', 'a', '\ud800', '\ud801', '\ufffd', '"', '\\', 'É', 'é', 'e\u0301'];
    await log.append(odd.map((id) => numbered(1, { id })));
    const exchanges = odd.map((name) => encodeURIComponent(Buffer.from(name).toString()));
    await log.append(
      odd.map((name, i) => numbered(1, { id: 'the same', source: name, type: name, exchange: exchanges[i] ?? '' })),
    );
    const entries = await readAll(log);
    expect(entries.map(idOf)).toEqual([...odd, ...odd.map(() => 'the same')]);
    const names = entries.slice(odd.length);
    expect(names.map(({ source }) => source)).toEqual(odd);
    expect(names.map(({ type }) => type)).toEqual(odd);
    expect(names.map(({ exchange }) => exchange)).toEqual(exchanges);
  });

  const untakeable: Record<string, Partial<PregonEvent>> = {
    'an exchange of 256 bytes': { exchange: 'é'.repeat(128) },
    'an exchange that UTF-8 cannot hold': { exchange: '\ud800' },
    'an exchange with a line end': { exchange: 'a\nb' },
    'an exchange that AMQP reserves': { exchange: 'amq.mine' },
    'a topic of 256 bytes': { topic: 'x'.repeat(256) },
    'a type of 256 bytes': { type: 'x'.repeat(256) },
    'an id of 1,025 bytes': { id: 'x'.repeat(1_025) },
    'a source of 1,025 bytes': { source: 'x'.repeat(1_025) },
    'a subject of 1,025 bytes': { subject: 'x'.repeat(1_025) },
    'data of 10,000 levels': { data: JSON.parse('['.repeat(10_000) + ']'.repeat(10_000)) },
  };
  it('[fault C4] refuses events that some other kind of log cannot store, and stores later events', async () => {
    const { log } = await open();
    for (const [name, overrides] of Object.entries(untakeable)) {
      const append = log.append([numbered(1), numbered(2, overrides)]);
      await expect(append, name).rejects.toMatchObject({ code: 'EVENT_INVALID', retryable: false });
    }
    await log.append([numbered(3)]);
    expect((await readAll(log)).map(idOf)).toEqual(['event-3']);
  });
}
