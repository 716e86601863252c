import { describe, expect, it } from 'vitest';
import { HandshakePace, type WaitingHandshake } from '../../src/gateway/entrances/handshake-pace.js';
import { eventLoopTurn, FakeClock } from '../core/support/fake-clock.js';
import { collectGarbage } from '../core/support/garbage.js';

/** Each handshake takes a quarter of a millisecond: four fill a turn. */
function pace(mostWaiting = 1_000) {
  const clock = new FakeClock();
  const unread = {
    held: 0,
    left: 0,
    hold() {
      this.held += 1;
    },
    readOn() {
      this.left -= 1;
      return this.left > 0;
    },
  };
  const happened: string[] = [];
  const handshakes = new HandshakePace({ clock, unread, maxWaitMs: 1_000, mostWaiting });
  const visitor = (name: string): WaitingHandshake & { isGone: boolean } => ({
    isGone: false,
    proceed() {
      happened.push(name);
      clock.advance(0.25);
    },
    refuse: ({ status }) => happened.push(`${name}: ${status}`),
  });
  const arrive = (name: string) => {
    const arriving = visitor(name);
    if (handshakes.isFree) arriving.proceed();
    else handshakes.wait(arriving);
    return arriving;
  };
  const turn = async () => {
    clock.turn();
    await eventLoopTurn();
  };
  return { clock, unread, happened, handshakes, arrive, turn };
}

describe('HandshakePace', () => {
  it('[F] admits a handshake at once if none waits, and as many per turn as it has time for', async () => {
    const { happened, arrive, turn, handshakes } = pace();
    for (const name of ['a', 'b', 'c', 'd', 'e', 'f']) arrive(name);
    expect(happened).toEqual(['a', 'b', 'c', 'd']);
    await turn();
    expect(happened).toEqual(['a', 'b', 'c', 'd', 'e', 'f']);
    expect(handshakes.waiting).toBe(0);
    await turn();
    await turn();
    arrive('g');
    expect(happened.at(-1)).toBe('g');
  });

  it('[F] admits handshakes first come, first served', async () => {
    const { happened, arrive, turn } = pace();
    const names = Array.from({ length: 20 }, (_, i) => `${i}`);
    for (const name of names.slice(0, 12)) arrive(name);
    await turn();
    for (const name of names.slice(12)) arrive(name);
    for (let turns = 0; turns < 6; turns++) await turn();
    expect(happened).toEqual(names);
  });

  it('[F] counts the microtasks of a handshake towards its time', async () => {
    const { clock, happened, handshakes, turn } = pace();
    clock.advance(1);
    expect(handshakes.isFree).toBe(true);
    clock.advance(4);
    for (const name of ['a', 'b', 'c']) {
      const proceed = () => {
        happened.push(name);
        void Promise.resolve()
          .then(() => {})
          .then(() => clock.advance(0.75));
      };
      expect(handshakes.isFree).toBe(false);
      handshakes.wait({ isGone: false, proceed, refuse() {} });
    }
    await turn();
    expect(happened).toEqual(['a', 'b']);
    await turn();
    expect(happened).toEqual(['a', 'b', 'c']);
  });

  it('[F] skips handshakes of closed connections, and refuses those that waited too long or met a full queue', async () => {
    const { clock, happened, arrive, turn } = pace(3);
    for (const name of ['a', 'b', 'c', 'd']) arrive(name);
    const gone = arrive('gone');
    arrive('late');
    arrive('later');
    arrive('one too many');
    expect(happened).toEqual(['a', 'b', 'c', 'd', 'one too many: 503']);
    gone.isGone = true;
    clock.advance(1_001);
    await turn();
    expect(happened.slice(5)).toEqual(['late: 503', 'later: 503']);
  });

  it('[I-8] continues after a handshake that throws', async () => {
    const { happened, arrive, handshakes, turn } = pace();
    for (const name of ['a', 'b', 'c', 'd']) arrive(name);
    const proceed = () => {
      throw new Error('thrown by a handshake');
    };
    handshakes.wait({ isGone: false, proceed, refuse() {} });
    arrive('e');
    await expect(turn()).rejects.toThrow('thrown by a handshake');
    await eventLoopTurn();
    await turn();
    expect(happened).toEqual(['a', 'b', 'c', 'd', 'e']);
  });

  it('[F] holds unread connections while many handshakes wait, and resumes reading them turn by turn', async () => {
    const { unread, arrive, turn, clock, handshakes } = pace();
    for (let i = 0; i < 4 + 32; i++) arrive(`${i}`);
    expect(unread.held).toBe(1);
    unread.left = 20;
    await turn();
    expect(unread.left).toBe(20);
    for (let turns = 0; turns < 40; turns++) await turn();
    expect(unread.left).toBe(0);
    expect(handshakes.waiting).toBe(0);
    expect(clock.turns).toBe(0);
  });

  it('[F][I-7] keeps no admitted handshake, even if the queue is never empty', async () => {
    const { arrive, turn, handshakes } = pace();
    const gone: WeakRef<WaitingHandshake>[] = [];
    for (let i = 0; i < 8; i++) arrive('early');
    for (let turns = 0; turns < 1_000; turns++) {
      for (let i = 0; i < 4; i++) gone.push(new WeakRef(arrive('next')));
      await turn();
      expect(handshakes.waiting).toBeGreaterThan(0);
    }
    await collectGarbage();
    expect(gone.filter((ref) => ref.deref() !== undefined).length).toBeLessThan(200);
  });

  it('[F] admits all waiting handshakes on release', () => {
    const { happened, arrive, handshakes } = pace();
    for (const name of ['a', 'b', 'c', 'd', 'e', 'f', 'g']) arrive(name);
    handshakes.release();
    expect(happened).toEqual(['a', 'b', 'c', 'd', 'e', 'f', 'g']);
    expect(handshakes.waiting).toBe(0);
  });
});
