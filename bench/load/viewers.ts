import { nowMicros } from '../events.js';
import { answer } from '../processes/answer.js';
import { type Figures, numberOf, textOf } from '../processes/messages.js';
import { quantile } from '../statistics.js';
import { LongPollingViewer, PollingViewer, type Sight, type Viewer, WebSocketViewer } from './viewer.js';

const POLL_MS = 5;

let viewers: Viewer[] = [];
let seen = 0;
let misordered = 0;
const delays: number[] = [];
let failure: Error | undefined;

/** Checks the order of one viewer's updates, and records their age. */
function sight(): Sight {
  let next = 1;
  return {
    seen(update) {
      const { id, data } = Object(update);
      if (Number(id) !== next) misordered += 1;
      next += 1;
      seen += 1;
      delays.push(nowMicros() - Number(data.at));
    },
    failed(error) {
      failure ??= error;
    },
  };
}

answer({
  /** Starts `count` viewers of the kind `way`. */
  view(fields): Figures {
    const port = numberOf(fields, 'port');
    const makers: Readonly<Record<string, () => Viewer>> = {
      polling: () => new PollingViewer(port, numberOf(fields, 'everyMs'), sight()),
      'long polling': () => new LongPollingViewer(port, sight()),
      WebSocket: () => new WebSocketViewer(port, sight()),
    };
    const make = makers[textOf(fields, 'way')];
    if (!make) throw new TypeError(`there is no way "${fields['way']}"`);
    viewers = Array.from({ length: numberOf(fields, 'count') }, make);
    return {};
  },

  /** Waits until all viewers together have seen `updates`, or until `patienceMs` have passed. */
  async finish(fields): Promise<Figures> {
    const updates = numberOf(fields, 'updates');
    const end = performance.now() + numberOf(fields, 'patienceMs');
    while (seen < updates && performance.now() < end) await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    if (failure) throw failure;
    for (const viewer of viewers) viewer.close();
    const quantiles = { p50Micros: quantile(delays, 0.5), p99Micros: quantile(delays, 0.99) };
    return { seen, misordered, ...quantiles };
  },
});
