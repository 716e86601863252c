import type { Random } from '../../chaos/random.js';
import type { Entrance } from '../session.js';
import { mutated } from '../values/bytes.js';
import { dataText, jsonText, nearly } from '../values/json.js';
import { encoded, oddText, pattern } from '../values/texts.js';
import { pause } from '../wire.js';
import { requestText } from './raw-http.js';

/** The HTTP port: health, publishing with valid and invalid tokens, heads and bodies that are slow or never end. */
export const httpPort: Entrance = {
  name: 'HTTP port',
  weight: 8,
  isThere: ({ http }) => http !== undefined,
  async run(session) {
    const { random, target } = session;
    if (!target.http) return;
    const wire = await session.connect(target.http.port);
    for (let left = random.integer(1, 5); left > 0 && !wire.isClosed; left--) {
      const bytes = requestOf(random, target.http.token);
      wire.forget();
      await wire.input(random.chance(0.9) ? bytes : mutated(random, bytes));
      if (random.chance(0.7)) await wire.until('HTTP/1.1', 200);
    }
    if (random.chance(0.05)) {
      wire.write('GET /health HTTP/1.1\r\nHo');
      await pause(random.integer(1, 100));
    }
    await wire.end();
  },
};

function requestOf(random: Random, token: string): Buffer {
  switch (random.integer(0, 5)) {
    case 0:
      return Buffer.from(
        `GET ${random.pick(['/health', '/ready', '/ready?x', '/metrics', '/'])} HTTP/1.1\r\nHost: localhost\r\n\r\n`,
      );
    case 1:
      return Buffer.from(
        requestText(random, random.pick(['/health', '/ready', '/publish', oddText(random)])),
        'latin1',
      );
    default:
      return publish(random, token);
  }
}

function publish(random: Random, token: string): Buffer {
  const exchange = random.chance(0.9) ? 'fuzz' : encoded(oddText(random));
  const topic = encoded(pattern(random));
  const body = nearly(random, bodyOf(random));
  const shown = random.chance(0.8)
    ? `Bearer ${token}`
    : random.pick(['', 'Bearer', `Basic ${token}`, `bearer ${token}x`, oddText(random)]);
  const head = [
    `POST /publish/${exchange}/${random.chance(0.95) ? topic : pattern(random)} HTTP/1.1`,
    'Host: localhost',
    `Authorization: ${shown}`,
    `Content-Type: ${random.pick(['application/json', 'application/cloudevents+json', 'application/json; charset=utf-8', 'text/plain', oddText(random)])}`,
    `Content-Length: ${random.chance(0.97) ? body.length : random.pick([0, body.length + 1, 2_000_000, -1])}`,
  ];
  return Buffer.concat([Buffer.from(`${head.join('\r\n')}\r\n\r\n`), body]);
}

function bodyOf(random: Random): string {
  const data = dataText(random);
  switch (random.integer(0, 3)) {
    case 0:
      return `{"type":"FuzzWasSent","data":${data}}`;
    case 1:
      return `{"type":${jsonText(random)},"id":${jsonText(random)},"source":${jsonText(random)},"data":${data}}`;
    case 2: {
      const id = JSON.stringify(oddText(random));
      return `{"specversion":"1.0","id":${id},"source":"/fuzz","type":"T","${random.pick(['ext', 'time', 'sequence', 'position', 'data_base64'])}":${jsonText(random)},"data":${data}}`;
    }
    default:
      return data;
  }
}
