import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { createPostgresOutbox } from '@pregon/outbox';
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FaultyLog } from '../../support/outbox/faulty-log.js';
import { eventually } from '../../support/waiting.js';

/** A message of the PostgreSQL protocol, version 3. */
function message(type: string, body: string | Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeInt32BE(4 + Buffer.byteLength(body));
  return Buffer.concat([Buffer.from(type), length, Buffer.from(body)]);
}

const AUTHENTICATION_OK = message('R', Buffer.alloc(4));
const READY = message('Z', 'I');
const SHUTTING_DOWN = message('E', 'SFATAL\0VFATAL\0C57P01\0Mterminating connection\0\0');

/** How a server may behave while it is shutting down. */
const BEHAVIOURS: Record<string, (socket: Socket) => void> = {
  'ends a connection at the moment at which it is ready': (socket) => {
    socket.end(Buffer.concat([AUTHENTICATION_OK, READY, SHUTTING_DOWN]));
  },
  'is ready, and resets the connection': (socket) => {
    socket.write(Buffer.concat([AUTHENTICATION_OK, READY]), () => socket.resetAndDestroy());
  },
  'closes the connection without a message': (socket) => {
    socket.end();
  },
};

describe('A relay on a pool of pg without an error listener, and a server that', () => {
  let server: Server;
  let connections: number;
  let behave: (socket: Socket) => void;

  beforeEach(async () => {
    connections = 0;
    server = createServer((socket) => {
      connections++;
      socket.on('error', () => {});
      socket.once('data', () => behave(socket));
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
  });

  afterEach(() => {
    server.close();
  });

  it.each(Object.keys(BEHAVIOURS))('%s: the relay retries, and its process goes on', async (name) => {
    behave = BEHAVIOURS[name] ?? behave;
    const address = Object(server.address());
    const pool = new pg.Pool({ host: '127.0.0.1', port: address.port, user: 'postgres', database: 'none' });
    const errors: Error[] = [];
    const relay = createPostgresOutbox({ source: '/outage' }).relay({
      db: pool,
      log: new FaultyLog(),
      onError: (error) => errors.push(error),
    });
    relay.start();
    await eventually(
      () => connections,
      (count) => count >= 6,
    );
    expect(relay.state).toBe('retrying');
    // One error per outage, not one per attempt.
    expect(errors).toHaveLength(1);
    await relay.stop();
    await pool.end();
  });
});
