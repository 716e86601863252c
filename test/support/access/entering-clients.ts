import { get } from 'node:http';
import type { PregonEvent } from '@pregon/protocol';
import { WebSocket } from 'ws';
import { afterTest } from '../cleanup.js';
import { numberOf } from '../gateway/gateway.js';
import { SocketIoClient, type Transports, toEvent } from '../gateway/socketio-client.js';

/** The addresses of a gateway. */
export interface Address {
  ws(path: string): string;
  http(path: string): string;
}

/** A client that shows a token and gets new events. */
export interface EnteringClient {
  /** Resolves when the client gets events, or was refused. */
  readonly entered: Promise<'connected' | 'refused'>;
  /** Resolves with the close code, or with what a transport without codes says. */
  readonly ended: Promise<string>;
  /** The numbers of the events so far. */
  readonly numbers: number[];
  /** When the last byte came, by `performance.now()`. */
  lastByteAt: number;
}

export type Enter = (address: Address, token: string, path?: string) => EnteringClient;

class Recorder implements EnteringClient {
  readonly numbers: number[] = [];
  lastByteAt = 0;
  enter: (how: 'connected' | 'refused') => void = () => {};
  end: (how: string) => void = () => {};
  readonly entered = new Promise<'connected' | 'refused'>((resolve) => {
    this.enter = resolve;
  });
  readonly ended = new Promise<string>((resolve) => {
    this.end = (how) => {
      this.enter('refused');
      resolve(how);
    };
  });

  take(event: PregonEvent): void {
    this.lastByteAt = performance.now();
    this.numbers.push(numberOf(event));
  }
}

function webSocket(protocols: string[]): Enter {
  return (address, token, path = '/events') => {
    const client = new Recorder();
    const socket = new WebSocket(address.ws(path), protocols, { headers: { Authorization: `Bearer ${token}` } });
    afterTest(() => socket.terminate());
    socket.on('open', () => {
      if (protocols.length === 0) client.enter('connected');
      else socket.send(JSON.stringify({ op: 'subscribe', id: 1 }));
    });
    socket.on('message', (data) => {
      const frame: unknown = JSON.parse(data.toString());
      if (Reflect.get(Object(frame), 'op') === 'subscribed') client.enter('connected');
      if (Reflect.get(Object(frame), 'specversion')) client.take(toEvent(frame));
    });
    socket.on('unexpected-response', (_, { statusCode }) => client.end(`${statusCode}`));
    socket.on('close', (code) => client.end(`${code}`));
    socket.on('error', (error) => client.end(error.message));
    return client;
  };
}

const eventStream: Enter = (address, token, path = '/events') => {
  const client = new Recorder();
  const headers = { Accept: 'text/event-stream', Authorization: `Bearer ${token}` };
  const request = get(address.http(path), { agent: false, headers });
  afterTest(() => void request.destroy());
  request.on('error', (error) => client.end(error.message));
  request.on('response', (response) => {
    if (response.statusCode !== 200) return client.end(`${response.statusCode}`);
    client.enter('connected');
    let text = '';
    let code = 'no code';
    response.on('data', (chunk: Buffer) => {
      const blocks = (text + chunk.toString()).split('\n\n');
      text = blocks.pop() ?? '';
      for (const block of blocks) {
        const [, data] = /^data: ?(.*)$/m.exec(block) ?? [];
        const content: unknown = data?.startsWith('{') ? JSON.parse(data) : undefined;
        if (Reflect.get(Object(content), 'specversion')) client.take(toEvent(content));
        else if (/^event: ?closing$/m.test(block)) code = `${Reflect.get(Object(content), 'code')}`;
      }
    });
    response.on('error', () => client.end(code));
    response.on('close', () => client.end(code));
  });
  return client;
};

function socketIo(transports: Transports): Enter {
  return (address, token, path = '/events') => {
    const client = new Recorder();
    const options = { transports: [...transports], auth: { token }, reconnection: false };
    const { socket } = new SocketIoClient(address.http(path), options);
    let code = 'no code';
    socket.on('connect', () => client.enter('connected'));
    socket.on('connect_error', (error) => client.end(error.message));
    socket.on('event', (event: unknown) => client.take(toEvent(event)));
    socket.on('closing', (closing: unknown) => (code = `${Reflect.get(Object(closing), 'code')}`));
    socket.on('disconnect', (reason) => client.end(code === 'no code' ? reason : code));
    return client;
  };
}

/** A client of each transport. */
export const ENTERING: Readonly<Record<string, Enter>> = {
  'plain WebSocket': webSocket([]),
  'pregon.v1': webSocket(['pregon.v1']),
  'an event stream': eventStream,
  'Socket.IO by WebSocket': socketIo(['websocket']),
  'Socket.IO by long polling': socketIo(['polling']),
};
