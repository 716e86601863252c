import { POSITION_LENGTH } from '@pregon/protocol';
import { type Log, openLog } from 'pregon';
import { deliveredBytes } from '../events.js';
import { createOrder } from '../orders.js';
import { answer } from '../processes/answer.js';
import { numberOf, textOf } from '../processes/messages.js';
import { producing } from './producing.js';

/** All positions have the same length, so the bytes of a delivery are known without the key. */
const ANY_POSITION = '0'.repeat(POSITION_LENGTH);

/** Appends orders to the log, in its own process. */
let log: Log | undefined;
let connections = 0;

async function send(first: number, count: number): Promise<number> {
  const orders = Array.from({ length: count }, (_, index) => createOrder(first + index));
  await log?.append(orders);
  const bytes = orders.map((order) => deliveredBytes(order, ANY_POSITION));
  return connections * bytes.reduce((sum, each) => sum + each, 0);
}

answer({
  ...producing({ send }),
  /** Opens the log. All `connections` get all orders. */
  async open(fields) {
    connections = numberOf(fields, 'connections');
    log = await openLog(textOf(fields, 'log'));
    return {};
  },
});
