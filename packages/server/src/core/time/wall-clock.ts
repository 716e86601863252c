import type { Clock } from './clock.js';

/** How late a callback may be after a jump of the time of day, in milliseconds. */
const LOOK_MS = 1_000;

/**
 * A clock that tells the time of day, in milliseconds since 1970-01-01 UTC. Unlike other clocks, it can go
 * back. Timers stand still while a machine is suspended, so a callback that is further away looks at the time of day
 * each second.
 *
 * @param now the time of day
 */
export function wallClockOf(clock: Clock, now: () => number): Clock {
  return {
    now,
    nextTurn: (callback) => clock.nextTurn(callback),
    after(ms, callback) {
      const at = now() + ms;
      let cancel: () => void;
      const wait = () => {
        cancel = clock.after(Math.min(Math.max(at - now(), 0), LOOK_MS), () => (now() < at ? wait() : callback()));
      };
      wait();
      return () => cancel();
    },
  };
}
