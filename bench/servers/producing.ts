import { type Fields, type Figures, numberOf } from '../processes/messages.js';

/** Sends events: writes them to all connections, or appends them to the log. */
export interface Outlet {
  /** @returns the payload bytes of the frames that all connections together get */
  send(first: number, count: number): Promise<number> | number;
}

interface Produced {
  sent: number;
  bytes: number;
}

/**
 * The questions that every producer of events answers: `produce` at a steady rate, `saturate` as fast as the receivers
 * allow, which `allow` reports.
 */
export function producing(outlet: Outlet): Record<string, (fields: Fields) => Promise<Figures> | Figures> {
  let allowed = 0;
  let stopped = false;
  let proceed: (() => void) | undefined;
  return {
    produce: (fields) => pace(outlet, fields),
    async saturate(fields) {
      const first = numberOf(fields, 'first');
      const batch = numberOf(fields, 'batch');
      const produced = { sent: 0, bytes: 0 };
      allowed = 0;
      stopped = false;
      while (!stopped) {
        if (first + produced.sent + batch <= allowed) await send(outlet, first, batch, produced);
        else await new Promise<void>((resolve) => (proceed = resolve));
        await new Promise((resolve) => setImmediate(resolve));
      }
      return { ...produced };
    },
    allow(fields) {
      allowed = numberOf(fields, 'before');
      proceed?.();
      return {};
    },
    stop() {
      stopped = true;
      proceed?.();
      return {};
    },
  };
}

/** Sends a batch at each full interval. As with a timer, missed intervals are not made up for. */
async function pace(outlet: Outlet, fields: Fields): Promise<Figures> {
  const first = numberOf(fields, 'first');
  const batch = numberOf(fields, 'batch');
  const intervalMs = numberOf(fields, 'intervalMs');
  const produced = { sent: 0, bytes: 0 };
  const began = performance.now();
  const end = began + numberOf(fields, 'durationMs');
  for (let due = began; due < end; ) {
    await send(outlet, first, batch, produced);
    const now = performance.now();
    due = Math.max(due + intervalMs, began + Math.floor((now - began) / intervalMs) * intervalMs);
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, Math.round(due - now))));
  }
  return { ...produced };
}

async function send(outlet: Outlet, first: number, batch: number, produced: Produced): Promise<void> {
  produced.bytes += await outlet.send(first + produced.sent, batch);
  produced.sent += batch;
}
