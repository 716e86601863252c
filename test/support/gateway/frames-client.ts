import {
  type AckFrame,
  type AuthorizedFrame,
  type ClientFrame,
  decodeGatewayFrame,
  type ErrorFrame,
  encodeFrame,
  type GatewayFrame,
  isEvent,
  type PregonEvent,
  type RequestId,
  SUBPROTOCOL,
  type SubscribedFrame,
  type SubscribeFrame,
} from '@pregon/protocol';
import { positionsOf } from 'pregon';
import { type ClientOptions, WebSocket } from 'ws';
import { afterTest } from '../cleanup.js';
import { eventually } from '../waiting.js';
import { numberOf, type TestGateway } from './gateway.js';
import { Inbox, within } from './inbox.js';
import type { Closed } from './plain-client.js';

export type Frame = GatewayFrame | PregonEvent;
type ControlOf<Op extends GatewayFrame['op']> = Extract<GatewayFrame, { op: Op }>;

/**
 * A client written from docs/reference/protocol.md. It keeps all frames, and attributes each event to its subscription.
 */
export class FramesClient {
  readonly socket: WebSocket;
  readonly frames = new Inbox<Frame>();
  readonly closed: Promise<Closed>;
  readonly #events = new Map<RequestId, PregonEvent[]>();
  #current: RequestId | undefined;

  /** Waits for `welcome`. */
  static async open(url: string, options?: ClientOptions): Promise<FramesClient> {
    const client = new FramesClient(url, options);
    await client.control('welcome');
    return client;
  }

  constructor(url: string, options: ClientOptions = {}) {
    this.socket = new WebSocket(url, SUBPROTOCOL, options);
    afterTest(() => this.socket.terminate());
    // A connection error shows itself as a missing frame.
    this.socket.on('error', () => {});
    this.closed = new Promise((resolve) => {
      this.socket.once('close', (code, reason) => resolve({ code, reason: reason.toString() }));
    });
    this.socket.on('message', (data, isBinary) => {
      if (isBinary) throw new Error('a binary frame under pregon.v1');
      this.#receive(data.toString());
    });
  }

  send(frame: ClientFrame): void {
    this.sendText(encodeFrame(frame));
  }

  sendText(text: string): void {
    this.socket.send(text);
  }

  /** Sends `subscribe` and waits for the answer. */
  async subscribe(frame: Omit<SubscribeFrame, 'op'>): Promise<SubscribedFrame | ErrorFrame> {
    const from = this.frames.all.length;
    this.send({ op: 'subscribe', ...frame });
    return this.#after(
      from,
      (answer): answer is SubscribedFrame | ErrorFrame =>
        !isEvent(answer) && (answer.op === 'subscribed' || answer.op === 'error') && answer.id === frame.id,
    );
  }

  /** The first control frame of an `op`, also if it has already arrived. */
  control<Op extends GatewayFrame['op']>(op: Op, deadlineMs?: number): Promise<ControlOf<Op>> {
    return this.frames.first((frame): frame is ControlOf<Op> => !isEvent(frame) && frame.op === op, deadlineMs);
  }

  /** The control frames of an `op` so far. */
  controls<Op extends GatewayFrame['op']>(op: Op): ControlOf<Op>[] {
    return this.frames.all.filter((frame): frame is ControlOf<Op> => !isEvent(frame) && frame.op === op);
  }

  /** Sends a frame and waits for the next control frame of an `op`. */
  async ask<Op extends GatewayFrame['op']>(text: string, op: Op): Promise<ControlOf<Op>> {
    const from = this.frames.all.length;
    this.sendText(text);
    return this.#after(from, (frame): frame is ControlOf<Op> => !isEvent(frame) && frame.op === op);
  }

  /** Sends a frame with an id, and waits for the answer that carries it. */
  answer(frame: ClientFrame & { readonly id: RequestId }): Promise<AuthorizedFrame | AckFrame | ErrorFrame> {
    const from = this.frames.all.length;
    this.send(frame);
    return this.#after(
      from,
      (answer): answer is AuthorizedFrame | AckFrame | ErrorFrame =>
        !isEvent(answer) &&
        (answer.op === 'authorized' || answer.op === 'ack' || answer.op === 'error') &&
        answer.id === frame.id,
    );
  }

  /** The events of a subscription so far. */
  events(id: RequestId): readonly PregonEvent[] {
    return this.#events.get(id) ?? [];
  }

  /** Waits for this many events of a subscription, and returns the numbers of all. */
  async numbers(id: RequestId, count: number, deadlineMs?: number): Promise<number[]> {
    await this.frames.until(() => this.events(id).length >= count, `${count} events of ${id}`, deadlineMs);
    return this.events(id).map(numberOf);
  }

  close(): Promise<Closed> {
    this.socket.close(1000);
    return this.whenClosed();
  }

  whenClosed(deadlineMs?: number): Promise<Closed> {
    return within(this.closed, 'a WebSocket to close', deadlineMs);
  }

  async #after<Found extends Frame>(from: number, isSo: (frame: Frame) => frame is Found): Promise<Found> {
    let found: Found | undefined;
    await this.frames.until(() => {
      found = this.frames.all.slice(from).find(isSo);
      return found !== undefined;
    }, 'an answer');
    if (found === undefined) throw new Error('unreachable');
    return found;
  }

  #receive(text: string): void {
    const frame = decodeGatewayFrame(text);
    if (frame === undefined)
      throw new Error(`a frame that is not in docs/reference/protocol.md: ${text.slice(0, 200)}`);
    if (isEvent(frame)) this.#attribute(frame);
    else if (frame.op === 'events' || frame.op === 'subscribed') this.#current = frame.id;
    this.frames.push(frame);
  }

  #attribute(event: PregonEvent): void {
    const id = this.#current;
    if (id === undefined) throw new Error('an event before any subscribed frame');
    const events = this.#events.get(id);
    if (events) events.push(event);
    else this.#events.set(id, [event]);
  }
}

/** Waits until the gateway has read the whole log, because live delivery begins at the gateway's own head. */
export async function untilAtHead({ ws, log }: TestGateway, path = '/events'): Promise<void> {
  const head = (await positionsOf(log)).encode(await log.head());
  const client = await FramesClient.open(ws(path));
  let id = 0;
  const where = () => client.subscribe({ id: id++ });
  await eventually(where, (answer) => answer.op === 'subscribed' && answer.position === head);
  await client.close();
}
