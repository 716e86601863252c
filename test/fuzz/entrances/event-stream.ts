import type { Entrance } from '../session.js';
import { mutated } from '../values/bytes.js';
import { encoded, oddText, patterns, position } from '../values/texts.js';

/** Event streams: their query, `Last-Event-ID`, and clients that do not read. */
export const eventStream: Entrance = {
  name: 'event streams',
  weight: 8,
  async run(session) {
    const { random, target } = session;
    const { events, rows, chat, zip } = target.paths;
    const wire = await session.connect();
    if (random.chance(0.1)) wire.pauseReading();
    const query = [
      ...(random.chance(0.6) ? [`topics=${patterns(random).map(encoded).join(',')}`] : []),
      ...(random.chance(0.5) ? [`since=${encoded(position(random, target.positions))}`] : []),
      ...(random.chance(0.3) ? [`snapshot=${random.pick(['true', 'false', '1', encoded(oddText(random))])}`] : []),
      ...(random.chance(0.1) ? [`lastEventId=${encoded(position(random, target.positions))}`] : []),
      ...(random.chance(0.05) ? [`${oddText(random)}`] : []),
    ];
    const headers = [
      'Host: localhost',
      `Accept: ${random.chance(0.9) ? 'text/event-stream' : random.pick(['*/*', 'text/event-stream;q=0', '', oddText(random)])}`,
      ...(random.chance(0.5) ? [`Last-Event-ID: ${position(random, target.positions)}`] : []),
      ...(random.chance(0.2)
        ? [`Origin: ${random.pick(['http://localhost:3000', 'null', 'http://evil.example', oddText(random)])}`]
        : []),
      ...(random.chance(0.1) ? ['Accept-Encoding: gzip, br'] : []),
    ];
    const path = random.pick([events, rows, chat, zip]);
    const head = `GET ${path}?${query.join('&')} HTTP/1.1\r\n${headers.join('\r\n')}\r\n\r\n`;
    const bytes = Buffer.from(head, random.chance(0.9) ? 'utf8' : 'latin1');
    await wire.input(random.chance(0.9) ? bytes : mutated(random, bytes));
    if (random.chance(0.8)) await wire.until('\r\n\r\n', 500);
    if (random.chance(0.3)) await wire.until('event: subscribed', 300);
    // Bytes after the request, on a connection where a client has nothing more to send.
    if (random.chance(0.1)) await wire.input(mutated(random, bytes));
    await wire.end();
  },
};
