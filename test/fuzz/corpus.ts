import type { Entrance, Session } from './session.js';
import { deflated, frame } from './values/frame.js';
import { handshakeHead, openWebSocket, untilRead } from './values/handshake.js';

const V1 = { protocol: 'pregon.v1' };
const MEGABYTE = 1_000_000;

/**
 * Inputs that once ended, stalled or starved a gateway, or that a fix was made for. Each part of a run begins with
 * them.
 */
export const CORPUS: readonly Entrance[] = [
  entry('connections that are reset before their refusal', async (session) => {
    for (let count = 0; count < 70; count++) {
      const wire = await session.connect();
      await wire.input(handshakeHead(session.random, '/socket.io/?EIO=4&transport=websocket&sid=nope'));
      wire.reset();
    }
  }),
  entry('10,000 topics of Socket.IO from the beginning', async (session) => {
    const wire = await openWebSocket(session, '/socket.io/?EIO=4&transport=websocket');
    const topics = Array.from({ length: 10_000 }, (_, i) => `none.${i}`);
    await wire?.input(frame(session.random, `40/events,${JSON.stringify({ topics, since: 'first' })}`));
    await wire?.untilSo(() => /subscribed|44\/events/.test(wire.text), 2_000);
  }),
  entry('1,000 patterns from the beginning, repeatedly', async (session) => {
    const wire = await openWebSocket(session, session.target.paths.events, V1);
    if (!wire) return;
    const topics = Array.from({ length: 1_000 }, (_, i) => `#.none${i}.#`);
    for (let id = 0; id < 20; id++) {
      await wire.input(
        frame(session.random, JSON.stringify({ op: 'subscribe', id, topics: [...topics, `n${id}`], since: 'first' })),
      );
    }
    await untilRead(session, wire);
  }),
  entry('patterns of 127 words that are hard to match, while subscriptions come and go', async (session) => {
    const wire = await openWebSocket(session, session.target.paths.events, V1);
    if (!wire) return;
    const word = () => session.random.pick(['#', '#', '#', '*']);
    const topics = Array.from({ length: 78 }, () => Array.from({ length: 127 }, word).join('.'));
    await wire.input(frame(session.random, JSON.stringify({ op: 'subscribe', id: 1, topics })));
    for (let id = 2; id < 200 && !wire.isClosed; id++) {
      wire.write(frame(session.random, `{"op":"subscribe","id":${id},"topics":["c.x"]}`));
      await wire.input(frame(session.random, `{"op":"unsubscribe","id":${id}}`));
    }
    await untilRead(session, wire);
  }),
  ...['[', '{"a":', '[[],'].map((open) =>
    entry(`a megabyte of ${open}`, async (session) => {
      const text = open.repeat(MEGABYTE / open.length);
      const wire = await openWebSocket(session, session.target.paths.events, V1);
      await wire?.input(frame(session.random, text));
      await wire?.input(
        frame(session.random, `{"op":"send","id":1,"name":"bid","data":${text.slice(0, MEGABYTE - 100)}}`),
      );
      if (wire) await untilRead(session, wire);
    }),
  ),
  entry('a megabyte of [ compressed to a thousand bytes, many times', async (session) => {
    const wire = await openWebSocket(session, session.target.paths.zip, { ...V1, deflate: true });
    const payload = deflated('['.repeat(MEGABYTE));
    for (let count = 0; count < 30 && wire && !wire.isClosed; count++) {
      await wire.input(frame(session.random, payload, { rsv: 4 }));
    }
    if (wire) await untilRead(session, wire);
  }),
  entry('broadcasts of 64 KB', async (session) => {
    const wire = await openWebSocket(session, session.target.paths.chat);
    const bytes = frame(session.random, 'x'.repeat(65_536));
    for (let count = 0; count < 60 && wire && !wire.isClosed; count++) await wire.input(bytes);
  }),
  entry('10,000 small broadcasts in one piece', async (session) => {
    const wire = await openWebSocket(session, session.target.paths.chat);
    const one = frame(session.random, 'x');
    await wire?.input(Buffer.concat(Array.from({ length: 10_000 }, () => one)));
  }),
  ...['40/x,', '42/events,["x"]', '3', '43/events,1["x"]', '451-/events,["x",{"_placeholder":true,"num":0}]'].map(
    (packet) =>
      entry(`a megabyte of ${packet} in one payload`, async (session) => {
        const wire = await session.connect();
        wire.write('GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: localhost\r\n\r\n');
        await wire.until('"sid":"', 2_000);
        const sid = /"sid":"([^"]*)"/.exec(wire.text)?.[1] ?? '';
        const body = Array.from({ length: Math.floor(MEGABYTE / (packet.length + 1)) }, () => packet).join('\x1e');
        const head = `POST /socket.io/?EIO=4&transport=polling&sid=${sid} HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\n`;
        wire.forget();
        await wire.input(`${head}Content-Length: ${body.length}\r\n\r\n${body}`);
        await wire.until('HTTP/1.1', 2_000);
      }),
  ),
  entry('repeated snapshots', async (session) => {
    const wire = await openWebSocket(session, session.target.paths.rows, V1);
    for (let id = 0; id < 50 && wire && !wire.isClosed; id++) {
      await wire.input(frame(session.random, `{"op":"subscribe","id":${id},"topics":["n${id}"],"snapshot":true}`));
    }
    if (wire) await untilRead(session, wire);
  }),
];

function entry(name: string, run: (session: Session) => Promise<void>): Entrance {
  return { name, weight: 0, run };
}
