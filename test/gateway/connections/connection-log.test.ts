import type { Logger } from 'pregon';
import { describe, expect, it } from 'vitest';
import { FramesClient } from '../../support/gateway/frames-client.js';
import { startGateway } from '../../support/gateway/gateway.js';
import { Inbox } from '../../support/gateway/inbox.js';
import { PlainClient } from '../../support/gateway/plain-client.js';
import { StreamClient } from '../../support/gateway/stream-client.js';

type Line = Readonly<Record<string, unknown>>;

/** A logger that keeps only the lines about connections. */
function keepLines(): { logger: Logger; lines: Inbox<Line>; debugLines: Inbox<Line> } {
  const lines = new Inbox<Line>();
  const debugLines = new Inbox<Line>();
  const into = (inbox: Inbox<Line>, level: string) => (fields: object, message: string) => {
    if (message.startsWith('connection ')) inbox.push({ level, message, ...fields });
  };
  const logger = {
    debug: into(debugLines, 'debug'),
    info: into(lines, 'info'),
    warn: into(lines, 'warn'),
    error: into(lines, 'error'),
  };
  return { logger, lines, debugLines };
}

describe('The log', () => {
  it('has one line for each closed connection, with what is known about it', async () => {
    const { logger, lines } = keepLines();
    const { ws, append } = await startGateway({ logger });
    const client = await PlainClient.open(ws('/events'));
    await append(1, { padding: 1_000 });
    await client.numbers(1);
    expect(lines.all).toEqual([]);
    client.socket.close(4321, 'had enough');
    const [line] = await lines.count(1);
    expect(line).toEqual({
      level: 'info',
      message: 'connection closed',
      connection: expect.stringMatching(/^[0-9a-f-]{36}$/),
      route: 'events',
      transport: 'websocket',
      remoteAddress: '127.0.0.1',
      code: 4321,
      reason: 'had enough',
      openMs: expect.any(Number),
      bytes: expect.any(Number),
    });
    expect(line?.['openMs']).toBeGreaterThanOrEqual(0);
    expect(line?.['bytes']).toBeGreaterThan(1_000);
  });

  it('has one line for each closed connection of any transport, and names the transport', async () => {
    const { logger, lines } = keepLines();
    const { ws, http } = await startGateway({ logger });
    const frames = await FramesClient.open(ws('/events'));
    frames.socket.close(1000);
    await lines.count(1);
    const stream = await StreamClient.open(http('/events'));
    stream.source.close();
    await lines.count(2);
    expect(lines.all.map(({ message, transport }) => [message, transport])).toEqual([
      ['connection closed', 'pregon.v1'],
      ['connection closed', 'sse'],
    ]);
  });

  it('has a debug line when a connection opens, with the same connection id', async () => {
    const { logger, lines, debugLines } = keepLines();
    const { ws } = await startGateway({ logger });
    const client = await PlainClient.open(ws('/events'));
    const [opened] = await debugLines.count(1);
    expect(opened).toMatchObject({ message: 'connection opened', route: 'events', transport: 'websocket' });
    await client.close();
    const [closed] = await lines.count(1);
    expect(closed?.['connection']).toBe(opened?.['connection']);
  });
});
