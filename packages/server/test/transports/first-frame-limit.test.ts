import { describe, expect, it } from 'vitest';
import { FirstFrameLimit, type NewClient } from '../../src/transports/websocket/first-frame-limit.js';
import { FakeClock } from '../core/support/fake-clock.js';

class Client implements NewClient {
  hasSentData = false;
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
    for (const client of clients.slice(from, to)) client.hasSentData = true;
  };
  return { clock, firstFrames, clients, held, speak };
}

describe('first frames', () => {
  it('[F] of a few clients are read at once, and a client that has sent its frame makes room', () => {
    const { clients, firstFrames, held, clock } = arriving(16);
    for (const client of clients) firstFrames.delete(client);
    const more = Array.from({ length: 16 }, () => new Client());
    for (const client of more) firstFrames.expect(client);
    expect(held()).toBe(0);
    expect(more.some(({ isHeld }) => isHeld)).toBe(false);
    expect(clock.turns + clock.timers).toBe(0);
  });

  it('[F][I-8] of many clients are read sixteen in a turn, in order of arrival', () => {
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

  it('[F] of silent clients do not delay later clients that have sent theirs', () => {
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

  it('[F][I-8] of thousands of silent clients are checked in parts, and each client has its turn', () => {
    const { clock, clients, held, speak } = arriving(5_016);
    let looks = 0;
    for (const client of clients) {
      Object.defineProperty(client, 'hasSentData', {
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
    for (const client of clients) Object.defineProperty(client, 'hasSentData', { writable: true, value: false });
    speak(5_006, 5_016);
    clock.advance(10 * 5);
    for (let turns = 0; turns < 20 && held() > 4_990; turns++) clock.turn();
    expect(held()).toBe(4_990);
    expect(clients.slice(5_006).some(({ isHeld }) => isHeld)).toBe(false);
  });

  it('[F] are awaited for at most two seconds, and checked only occasionally while none arrives', () => {
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

  it('[F][I-7] of clients that stay silent or leave do not take a place for ever', () => {
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
