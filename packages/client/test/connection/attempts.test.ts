import { describe, expect, it } from 'vitest';
import { event, type Harness, harness } from '../support/harness.js';

/** Fails every attempt for this long. @returns the times of the attempts, in milliseconds since the first failure */
async function outage({ client, clock, sockets }: Harness, ms: number): Promise<number[]> {
  const begun = clock.now();
  const attempts: number[] = [];
  while (clock.now() - begun < ms) {
    sockets.at(-1)?.lose();
    await clock.advance((client.retryAt ?? Number.NaN) - clock.now());
    attempts.push(clock.now() - begun);
  }
  return attempts;
}

function gapsOf(attempts: readonly number[]): number[] {
  return attempts.map((at, i) => at - (attempts[i - 1] ?? 0));
}

describe('attempts', () => {
  it('[fault G6] are at most 1.5 s apart in the first 10 s of an outage, then at most 5 s', async () => {
    const gaps = gapsOf(await outage(await harness({ random: () => 0.999999 }), 120_000));
    expect(gaps.slice(0, 3).map(Math.round)).toEqual([1_000, 1_500, 1_500]);
    const early = gaps.filter((_, i) => gaps.slice(0, i).reduce((sum, gap) => sum + gap, 0) < 10_000);
    expect(Math.max(...early)).toBeLessThanOrEqual(1_500);
    expect(Math.max(...gaps)).toBeLessThanOrEqual(5_000);
    expect(gaps.at(-1)).toBeGreaterThan(4_999);
  });

  it('[fault G6] of many clients are spread, in each round', async () => {
    for (const random of [0, 0.5, 0.999]) {
      const [first, second] = gapsOf(await outage(await harness({ random: () => random }), 3_000));
      expect([first, second]).toEqual([500 + random * 500, 500 + random * 1_000]);
    }
  });

  it('[fault G6] are up to 30 s apart while the page is hidden, and follow at once when it becomes visible', async () => {
    const made = await harness({ random: () => 0.999999 });
    made.network.show(false);
    const gaps = gapsOf(await outage(made, 300_000));
    expect(Math.round(Math.max(...gaps))).toBe(30_000);
    made.sockets.at(-1)?.lose();
    const before = made.sockets.length;
    made.network.show(true);
    await made.clock.advance(0);
    expect(made.sockets).toHaveLength(before + 1);
    made.sockets.at(-1)?.lose();
    expect((made.client.retryAt ?? 0) - made.clock.now()).toBeLessThanOrEqual(1_000);
  });

  it.each(['change', 'wake', 'go'] as const)(
    '[fault G6] follow at once after a hint of the platform: %s',
    async (hint) => {
      const { client, clock, network, sockets, last } = await harness();
      last.lose();
      network[hint](true);
      await clock.advance(0);
      expect([client.state, sockets.length]).toEqual(['connecting', 2]);
      // An attempt that hangs, perhaps on the previous network, is repeated; one that has just begun is not.
      network[hint](true);
      await clock.advance(0);
      expect(sockets).toHaveLength(2);
      await clock.advance(3_000);
      network[hint](true);
      await clock.advance(0);
      expect([client.state, sockets.length, sockets[1]?.closedWith]).toEqual(['connecting', 3, 1000]);
      sockets[1]?.lose();
      sockets[2]?.welcome();
      expect(client.state).toBe('online');
    },
  );

  it('[fault G6] probe an open connection when the network changes', async () => {
    const { client, network, online } = await harness();
    const socket = await online();
    network.change();
    expect([client.state, socket.sent]).toEqual(['online', [{ op: 'ping' }]]);
  });

  it('[fault G6] have short delays again after a connection that delivered something, however brief it was', async () => {
    const made = await harness();
    const { client, clock, sockets, online } = made;
    client.subscribe({ onEvent: () => {} });
    await outage(made, 60_000);
    const socket = await online();
    socket.deliver({ op: 'subscribed', id: 1, position: 'p-0', recovered: false }, event(1));
    socket.lose();
    expect(client.retryAt).toBe(clock.now() + 750);
    await clock.advance(750);
    // The connection delivered nothing, so the delays grow.
    sockets.at(-1)?.welcome();
    sockets.at(-1)?.deliver({ op: 'subscribed', id: 1, position: 'p-1', recovered: true });
    sockets.at(-1)?.lose();
    expect(client.retryAt).toBe(clock.now() + 1_000);
  });

  it('[fault G6] have growing delays if each delivery ends its connection', async () => {
    const { client, clock, sockets, online } = await harness();
    client.subscribe({ onEvent: () => {} });
    await online();
    const delays: number[] = [];
    for (let i = 0; i < 12; i++) {
      sockets.at(-1)?.welcome();
      sockets.at(-1)?.deliver(event(1));
      delays.push((client.retryAt ?? Number.NaN) - clock.now());
      await clock.advance(delays.at(-1) ?? 0);
    }
    expect(delays.at(-1)).toBeGreaterThan(delays[0] ?? Number.NaN);
  });

  it('[fault G6] follow at the time that a draining gateway gave, hidden or not', async () => {
    for (const visible of [true, false]) {
      const { client, clock, network, online } = await harness();
      network.show(visible);
      const socket = await online();
      socket.deliver({ op: 'draining', reconnectInMs: 1_730 });
      socket.lose(4000);
      expect(client.retryAt).toBe(clock.now() + 1_730);
    }
  });
});
