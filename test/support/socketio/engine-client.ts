import { WebSocket } from 'ws';
import { afterTest } from '../cleanup.js';
import { Inbox, within } from '../gateway/inbox.js';

/** The separator between packets in a payload of long polling. */
export const SEPARATOR = '\x1e';

/** The open packet of an Engine.IO connection. */
export interface Opened {
  readonly sid: string;
  readonly upgrades: readonly string[];
  readonly pingInterval: number;
  readonly pingTimeout: number;
  readonly maxPayload: number;
}

/**
 * Parses an open packet.
 * @throws Error if it is not an open packet
 */
export function parseOpen(packet: string): Opened {
  if (!packet.startsWith('0')) throw new TypeError(`not an open packet: ${packet.slice(0, 200)}`);
  return JSON.parse(packet.slice(1));
}

/** Long polling by hand: the test decides about each request. */
export class PollingClient {
  readonly opened: Opened;
  readonly #url: string;

  static async open(origin: string): Promise<PollingClient> {
    const answer = await fetch(`${origin}/socket.io/?EIO=4&transport=polling`);
    return new PollingClient(origin, parseOpen(await answer.text()));
  }

  private constructor(origin: string, opened: Opened) {
    this.opened = opened;
    this.#url = `${origin}/socket.io/?EIO=4&transport=polling&sid=${opened.sid}`;
  }

  /** Sends one GET. */
  poll(): Promise<Response> {
    return within(fetch(this.#url), 'an answer to a poll');
  }

  /** Sends one GET, and returns the packets of the answer. */
  async packets(): Promise<string[]> {
    const answer = await this.poll();
    const text = await answer.text();
    if (answer.status !== 200) throw new Error(`a poll was answered with ${answer.status}: ${text}`);
    return text.split(SEPARATOR);
  }

  /** Polls until this many packets have arrived. */
  async untilPackets(count: number): Promise<string[]> {
    const packets: string[] = [];
    while (packets.length < count) packets.push(...(await this.packets()));
    return packets;
  }

  /** Sends one POST. */
  push(payload: string, headers: Record<string, string> = {}): Promise<Response> {
    return within(fetch(this.#url, { method: 'POST', body: payload, headers }), 'an answer to a push');
  }

  /** Sends packets, which the gateway must accept. */
  async say(...packets: string[]): Promise<void> {
    const answer = await this.push(packets.join(SEPARATOR));
    const text = await answer.text();
    if (text !== 'ok') throw new Error(`a push was answered with ${answer.status}: ${text}`);
  }
}

/** A WebSocket to the gateway on which each frame is an Engine.IO packet. */
export class EngineSocket {
  readonly socket: WebSocket;
  readonly packets = new Inbox<string | Buffer>();
  readonly #closed: Promise<number>;
  #read = 0;

  /** Opens a new connection or, with `sid`, upgrades a polling one. */
  static async open(origin: string, sid?: string): Promise<EngineSocket> {
    const client = new EngineSocket(origin, sid === undefined ? '' : `&sid=${sid}`);
    await within(new Promise((resolve) => client.socket.once('open', resolve)), 'a WebSocket to open');
    return client;
  }

  /** Opens a connection that has passed the handshake of Engine.IO and entered a namespace. */
  static async enter(origin: string, namespace = '/', auth?: unknown): Promise<EngineSocket> {
    const client = await EngineSocket.open(origin);
    await client.next();
    client.socket.send(connectPacket(namespace, auth));
    await client.next();
    return client;
  }

  private constructor(origin: string, more: string) {
    this.socket = new WebSocket(`${origin.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket${more}`);
    afterTest(() => this.socket.terminate());
    this.#closed = new Promise((resolve) => this.socket.once('close', resolve));
    this.socket.on('message', (data: Buffer, isBinary) => this.packets.push(isBinary ? data : data.toString()));
  }

  /** The next packet, in the order of arrival. */
  async next(deadlineMs?: number): Promise<string | Buffer> {
    this.#read += 1;
    const packets = await this.packets.count(this.#read, deadlineMs);
    const packet = packets[this.#read - 1];
    if (packet === undefined) throw new Error('unreachable');
    return packet;
  }

  /** The next packet, as text. */
  async text(deadlineMs?: number): Promise<string> {
    return String(await this.next(deadlineMs));
  }

  send(...packets: (string | Buffer)[]): void {
    for (const packet of packets) this.socket.send(packet);
  }

  whenClosed(deadlineMs?: number): Promise<number> {
    return within(this.#closed, 'a WebSocket to close', deadlineMs);
  }
}

/** The packet with which a client enters a namespace. */
export function connectPacket(namespace: string, auth?: unknown): string {
  return `40${namespace === '/' ? '' : `${namespace},`}${auth === undefined ? '' : JSON.stringify(auth)}`;
}
