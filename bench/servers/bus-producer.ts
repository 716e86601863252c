import { type ConfirmChannel, connect } from 'amqplib';
import { createEvent, nowMicros } from '../events.js';
import { answer } from '../processes/answer.js';
import { numberOf, textOf } from '../processes/messages.js';
import { producing } from './producing.js';

/** A producer without Pregon: it publishes to an exchange, and waits for the broker's confirms. */
let channel: ConfirmChannel | undefined;
let exchange = '';
let eventBytes = 0;

async function send(first: number, count: number): Promise<number> {
  const at = nowMicros();
  for (let number = first; number < first + count; number++) {
    const { exchange: _, topic, ...event } = createEvent(number, eventBytes, at);
    const body = Buffer.from(JSON.stringify(event));
    channel?.publish(exchange, topic, body, { persistent: true, contentType: 'application/cloudevents+json' });
  }
  await channel?.waitForConfirms();
  return 0;
}

answer({
  ...producing({ send }),
  async open(fields) {
    exchange = textOf(fields, 'exchange');
    eventBytes = numberOf(fields, 'eventBytes');
    const connection = await connect(textOf(fields, 'broker'), { noDelay: true });
    channel = await connection.createConfirmChannel();
    return {};
  },
});
