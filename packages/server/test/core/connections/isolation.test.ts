import { CLOSE_CODES } from '@pregon/protocol';
import { describe, expect, it } from 'vitest';
import { Heartbeat } from '../../../src/core/connections/heartbeat.js';
import { FakeLink } from '../support/fake-link.js';
import { events, Square } from '../support/square.js';

function brokenLink(): FakeLink {
  const link = new FakeLink();
  link.onEvents = () => {
    throw new Error('the link is broken');
  };
  return link;
}

describe('a link that throws', () => {
  it('[I-8] during a flush costs no other connection an event, now or later', async () => {
    const square = await Square.open();
    const mates = [square.subscribe(), square.subscribe({ link: brokenLink() }), square.subscribe()];
    const others = [square.subscribe({ topics: ['thing.*.done'] }), square.subscribe({ topics: ['thing.#'] })];
    for (let flush = 1; flush <= 3; flush++) {
      await square.append(events(2));
      for (const { link } of [mates[0], mates[2], ...others].flatMap((client) => client ?? [])) {
        expect(link.delivered).toHaveLength(flush * 2);
      }
    }
  });

  it('[I-8] loses its subscription and is closed; its client may reconnect, and error handlers are told once', async () => {
    const square = await Square.open();
    const errors: string[] = [];
    square.route.handle({ error: (connection, error) => errors.push(`${connection.id}: ${error.message}`) });
    const { link, connection } = square.subscribe({ link: brokenLink() });
    await square.append(events(1));
    await square.append(events(1));
    expect(link.closedWith).toEqual(CLOSE_CODES.INTERNAL_ERROR);
    expect(errors).toEqual([`${connection.id}: the connection cannot be written to`]);
    expect(square.hub.subscriptions).toBe(0);
  });

  it.each([0, 1_000_000])(
    '[I-8] while it catches up does not affect others (history of %i bytes)',
    async (historyBytes) => {
      const square = await Square.open({ historyBytes });
      const [since = ''] = await square.append(events(3));
      const broken = square.subscribe({ link: brokenLink(), since });
      const whole = square.subscribe({ since });
      await square.clock.settle();
      expect(broken.link.closedWith).toEqual(CLOSE_CODES.INTERNAL_ERROR);
      expect(whole.link.delivered).toHaveLength(2);
      expect(square.hub.subscriptions).toBe(1);
    },
  );

  it('[I-8] at the first frame is closed, and its id is free again', async () => {
    const square = await Square.open();
    const { link, connection } = square.connect();
    link.onReceived = () => {
      throw new Error('the link is broken');
    };
    connection.subscribe(1, undefined, undefined);
    expect(link.closedWith).toEqual(CLOSE_CODES.INTERNAL_ERROR);
    link.onReceived = undefined;
    connection.subscribe(1, undefined, undefined);
    expect(square.hub.subscriptions).toBe(1);
  });

  it('[I-8] on the report of a replaced log does not keep it from the others', async () => {
    const square = await Square.open();
    await square.append(events(1));
    const broken = square.subscribe();
    broken.link.onReceived = () => {
      throw new Error('the link is broken');
    };
    const whole = square.subscribe();
    square.log.inner.replace();
    await square.append(events(1));
    expect(whole.link.frames.map(({ op }) => op)).toEqual(['subscribed', 'reset', 'subscribed']);
    expect(broken.link.closedWith).toEqual(CLOSE_CODES.INTERNAL_ERROR);
  });

  it('[I-8] even on close is only reported', async () => {
    const square = await Square.open();
    const errors: string[] = [];
    square.route.handle({ error: (_, error) => errors.push(error.message) });
    const link = brokenLink();
    link.close = () => {
      throw new Error('not even that');
    };
    square.subscribe({ link });
    const whole = square.subscribe();
    await square.append(events(1));
    expect(whole.link.delivered).toHaveLength(1);
    expect(errors).toEqual(['the connection cannot be written to', 'not even that']);
  });

  it('[I-8] in a heartbeat does not stop the heartbeat of the others', async () => {
    const square = await Square.open();
    const errors: string[] = [];
    square.route.handle({ error: (_, error) => errors.push(error.message) });
    const heartbeat = new Heartbeat(800, 10_000, square.clock);
    const [broken, whole] = [square.connect(), square.connect()];
    broken.link.ping = () => {
      throw new Error('cannot ping');
    };
    for (const { connection } of [broken, whole]) heartbeat.add(connection);
    for (let beats = 1; beats <= 3; beats++) {
      square.clock.advance(800);
      whole.connection.heard(square.clock.now());
      expect(whole.link.pings).toBe(beats);
    }
    expect(errors).toEqual(['cannot ping', 'cannot ping', 'cannot ping']);
    heartbeat.stop();
    expect(square.clock.timers).toBe(0);
  });
});

describe('handlers that throw', () => {
  it('[I-8] do not affect any connection; their errors go to `error`', async () => {
    const square = await Square.open();
    const errors: string[] = [];
    const boom = (what: string) => () => {
      throw new Error(what);
    };
    square.route.handle({ opened: boom('opened'), closed: async () => boom('closed')(), error: boom('error') });
    square.route.handle({ error: (_, error) => errors.push(error.message) });
    const client = square.subscribe();
    const other = square.subscribe();
    await square.append(events(1));
    client.connection.closed(1000, '', 0);
    await square.append(events(1));
    expect(other.link.delivered).toHaveLength(2);
    expect(errors).toEqual(['opened', 'opened', 'closed']);
  });
});
