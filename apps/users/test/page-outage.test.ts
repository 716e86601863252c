import { encodeSequence } from '@pregon/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { returnNotice } from '../src/page/story/news.js';
import { OutageTracker } from '../src/page/story/outage.js';
import { EventRate } from '../src/page/story/rate.js';

const event = (sequence: number | undefined, source = '/users') => ({
  source,
  ...(sequence === undefined ? {} : { sequence: encodeSequence(sequence) }),
});

describe('the notice of the page after an outage', () => {
  it('says "0 missed" if the sequences of one source have no gap, from the last one before the loss', () => {
    const tracker = new OutageTracker();
    tracker.received(event(7));
    tracker.lost(1_000);
    for (const sequence of [8, 9, 10]) tracker.received(event(sequence));
    const back = tracker.back(10_000);
    expect(back).toEqual({ ms: 9_000, caughtUp: 3, proven: true, from: 7, to: 10 });
    expect(back && returnNotice(back).title).toBe('Back after 9 s: 3 events caught up, 0 missed');
  });

  it.each([
    ['a gap', [event(8), event(10)]],
    ['a gap at the beginning', [event(9), event(10)]],
    ['a repeated event', [event(8), event(8)]],
    ['a different order', [event(9), event(8)]],
    ['a second source', [event(8), event(1, '/orders')]],
    ['no sequence', [event(8), event(undefined), event(9)]],
  ])('does not claim it without a proof: %s', (_what, events) => {
    const tracker = new OutageTracker();
    tracker.received(event(7));
    tracker.lost(0);
    for (const each of events) tracker.received(each);
    const back = tracker.back(2_000);
    expect(back).toMatchObject({ caughtUp: events.length, proven: false });
    expect(back && returnNotice(back).title).toMatch(/nothing skipped since your position$/);
  });

  it('does not claim it without an event', () => {
    const tracker = new OutageTracker();
    tracker.received(event(7));
    tracker.lost(0);
    const back = tracker.back(61_000);
    expect(back && returnNotice(back)).toMatchObject({
      title: 'Back after 1 min 1 s: no events meanwhile',
      text: 'Nothing skipped since your position.',
    });
  });

  it('does not claim it after a reset, whatever the sequences', () => {
    const tracker = new OutageTracker();
    tracker.received(event(7));
    tracker.lost(0);
    tracker.received(event(8));
    tracker.reset();
    tracker.received(event(9));
    expect(tracker.back(5_000)).toMatchObject({ caughtUp: 1, proven: false });
  });

  it('counts several losses before the page is live again as one outage', () => {
    const tracker = new OutageTracker();
    tracker.received(event(1));
    tracker.lost(1_000);
    tracker.received(event(2));
    tracker.lost(3_000);
    tracker.received(event(3));
    expect(tracker.back(5_000)).toMatchObject({ ms: 4_000, caughtUp: 2, proven: true });
    expect(tracker.back(6_000)).toBeUndefined();
  });

  it('never claims "0 missed" if an event is missing, comes twice or is out of order', () => {
    const events = fc.array(fc.record({ sequence: fc.integer({ min: 1, max: 12 }), other: fc.boolean() }), {
      maxLength: 10,
    });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 3 }), events, (last, came) => {
        const tracker = new OutageTracker();
        tracker.received(event(last));
        tracker.lost(0);
        for (const { sequence, other } of came) tracker.received(event(sequence, other ? '/other' : '/users'));
        const isWhole = came.every(({ sequence, other }, index) => !other && sequence === last + index + 1);
        expect(tracker.back(1)?.proven).toBe(isWhole && came.length > 0);
      }),
    );
  });
});

describe('the rate of events', () => {
  it('is the mean of the last ten seconds', () => {
    const rate = new EventRate();
    rate.add(50, 1_000);
    rate.add(74, 5_500);
    expect(rate.at(6_000)).toBe(12.4);
    expect(rate.at(11_500)).toBe(7.4);
    expect(rate.at(60_000)).toBe(0);
  });
});
