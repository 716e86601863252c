import { constants, deflateRawSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { startGateway } from '../../support/gateway/gateway.js';
import { Inbox } from '../../support/gateway/inbox.js';
import { clientFrame, OPCODE, RawSocket } from '../../support/gateway/raw-socket.js';
import { isLong } from '../../support/long.js';

type Kind = 'plain' | 'compressed' | 'parts' | 'ping' | 'large';

function bytesOf(kind: Kind, text: string): Buffer[] {
  const deflated = () => deflateRawSync(text, { finishFlush: constants.Z_SYNC_FLUSH }).subarray(0, -4);
  switch (kind) {
    case 'ping':
      return [clientFrame(OPCODE.ping, 'p')];
    case 'compressed':
      return [clientFrame(OPCODE.text, deflated(), { compressed: true })];
    case 'parts':
      return [clientFrame(OPCODE.text, '', { last: false }), clientFrame(OPCODE.ping, ''), clientFrame(0, text)];
    default:
      return [clientFrame(OPCODE.text, text)];
  }
}

describe('[fault A8] A client that is slowed down by rate limits', () => {
  it('has all its messages handled in order, including those just before it ends', async () => {
    const messages = new Inbox<unknown>();
    const handlers = [{ message: (_: unknown, data: unknown) => messages.push(data) }];
    const routes = { events: { path: '/events', compression: true, handlers } };
    const { port } = await startGateway({ routes, maxFramesPerSecond: 2_000, frameBurst: 10 });
    const kinds = fc.constantFrom<Kind>('plain', 'compressed', 'parts', 'ping', 'large');
    const input = fc.record({
      frames: fc.array(kinds, { minLength: 1, maxLength: 200 }),
      cuts: fc.array(fc.integer({ min: 1, max: 5_000 }), { minLength: 1, maxLength: 20 }),
      ends: fc.boolean(),
    });
    let seen = 0;
    const property = fc.asyncProperty(input, async ({ frames, cuts, ends }) => {
      const raw = await RawSocket.open(port);
      await raw.upgrade('/events', { 'Sec-WebSocket-Extensions': 'permessage-deflate' });
      const texts = frames.map((kind, n) => (kind === 'large' ? `${n} ${'x'.repeat(20_000)}` : `${n}`));
      const bytes = Buffer.concat(frames.flatMap((kind, n) => bytesOf(kind, texts[n] ?? '')));
      for (let at = 0, cut = 0; at < bytes.length; cut++) {
        const end = at + (cuts[cut % cuts.length] ?? 1);
        raw.write(bytes.subarray(at, end));
        at = end;
      }
      if (ends) raw.socket.end();
      const expected = texts.filter((_, n) => frames[n] !== 'ping');
      const all = await messages.count(seen + expected.length);
      expect(all.slice(seen)).toEqual(expected);
      seen += expected.length;
      raw.socket.destroy();
    });
    await fc.assert(property, { numRuns: isLong ? 300 : 15 });
  });
});
