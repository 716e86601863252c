import { describe, expect, it } from 'vitest';
import { FirstFrameLimit, type Guest } from '../../src/transports/websocket/first-frame-limit.js';
import { FakeClock } from '../core/support/fake-clock.js';

class Client implements Guest {
  hasSpoken = false;
  isHeld = false;

  setHeld(held: boolean): void {
    this.isHeld = held;
  }
}

function arriving(count: number) {
  const clock = new FakeClock();
  const firstFrames = new FirstFrameLimit(clock);
  const clients = Array.from({ length: count }, () => new Client());
  for (const client of clients) firstFrames.expect(client);
  const held = () => clients.filter(({ isHeld }) => isHeld).length;
  const speak = (from: number, to: number) => {
    for (const client of clients.slice(from, to)) client.hasSpoken = true;
  };
  return { clock, firstFrames, clients, held, speak };
}

describe('first words', () => {
  it('[F] of a few are listened to at once, and whoever has spoken makes room', () => {
    const { clients, firstFrames, held, clock } = arriving(16);
    for (const client of clients) firstFrames.delete(client);
    const more = Array.from({ length: 16 }, () => new Client());
    for (const client of more) firstFrames.expect(client);
    expect(held()).toBe(0);
    expect(more.some(({ isHeld }) => isHeld)).toBe(false);
    expect(clock.turns + clock.timers).toBe(0);
  });

  it('[F][I-8] of many are heard sixteen in a turn, in the order in which they came', () => {
    const { clock, clients, held, speak } = arriving(100);
    expect(held()).toBe(84);
    speak(0, 100);
    for (const left of [68, 52, 36, 20, 4, 0]) {
      clock.turn();
      expect(held()).toBe(left);
      expect(clients.findIndex(({ isHeld }) => isHeld)).toBe(left === 0 ? -1 : 100 - left);
    }
    clock.turn();
    expect(clock.turns + clock.timers).toBe(0);
  });

  it('[F] of those who say nothing do not hold up those who have come after them and speak', () => {
    const { clock, clients, held, speak } = arriving(60);
    speak(50, 60);
    clock.turn();
    expect(held()).toBe(34);
    expect(clients.slice(50).some(({ isHeld }) => isHeld)).toBe(false);
    speak(30, 32);
    clock.turn();
    clock.advance(5);
    expect(held()).toBe(32);
  });

  it('[F][I-8] of thousands who say nothing are looked for a part at a time, and everybody has a turn', () => {
    const { clock, clients, held, speak } = arriving(5_016);
    let looks = 0;
    for (const client of clients) {
      Object.defineProperty(client, 'hasSpoken', {
        configurable: true,
        get: () => {
          looks += 1;
          return false;
        },
      });
    }
    clock.turn();
    expect(looks).toBe(512);
    expect(held()).toBe(5_000);
    for (const client of clients) Object.defineProperty(client, 'hasSpoken', { writable: true, value: false });
    speak(5_006, 5_016);
    clock.advance(10 * 5);
    for (let turns = 0; turns < 20 && held() > 4_990; turns++) clock.turn();
    expect(held()).toBe(4_990);
    expect(clients.slice(5_006).some(({ isHeld }) => isHeld)).toBe(false);
  });

  it('[F] are waited for no longer than two seconds, and only looked for now and then while nobody speaks', () => {
    const { clock, held } = arriving(40);
    clock.turn();
    expect(clock.turns).toBe(0);
    clock.advance(1_990);
    expect(held()).toBe(24);
    clock.advance(20);
    expect(held()).toBe(8);
    for (let turns = 0; turns < 3; turns++) clock.turn();
    clock.advance(10);
    expect(held()).toBe(0);
    expect(clock.turns + clock.timers).toBe(0);
  });

  it('[F][I-7] of who never speaks take no place for ever, and who leaves is forgotten', () => {
    const { clock, firstFrames, clients, held } = arriving(40);
    for (const client of clients.slice(16)) firstFrames.delete(client);
    clock.turn();
    expect(clock.turns + clock.timers).toBe(0);
    expect(held()).toBe(24);
    clock.advance(2_000);
    const late = Array.from({ length: 16 }, () => new Client());
    for (const client of late) firstFrames.expect(client);
    expect(late.some(({ isHeld }) => isHeld)).toBe(false);
  });
});
