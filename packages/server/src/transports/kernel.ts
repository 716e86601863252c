import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { JsonShape } from '@pregon/protocol';
import { ClientConnection } from '../core/connections/client-connection.js';
import { toldError } from '../core/connections/told-error.js';
import type { Link } from '../core/ports/link.js';
import type { Admitted, Kernel, Refusal, Session, TransportEntrance } from '../core/ports/transport.js';
import type { SubscriptionLimits } from '../core/topics/topic-limits.js';
import type { ClientRegistry, Admitted as RegistryAdmitted, RouteVerdict } from './client-registry.js';
import { corsHeaders } from './http/cors.js';
import { assertQuery } from './http/query.js';
import { logRefusal, refuseRequest, refuseUpgrade } from './http/refusal.js';
import type { SocketIoOptions } from './socketio/socketio-options.js';

/** The limits of a frame of `pregon.v1`, or of an event of Socket.IO. */
export interface FrameLimits {
  readonly maxFrameBytes: number;
  readonly shape: JsonShape;
}

/** What the transports of one gateway share. */
export class GatewayKernel implements Kernel {
  readonly registry: ClientRegistry;
  /** What a frame of a client may be like. */
  readonly frames: FrameLimits;
  /** Opens the entrance of Socket.IO, whose server the gateway hands to the application. */
  readonly openSocketIo: (options: SocketIoOptions) => Promise<TransportEntrance>;

  constructor({ registry, frames, openSocketIo }: Pick<GatewayKernel, 'registry' | 'frames' | 'openSocketIo'>) {
    this.registry = registry;
    this.frames = frames;
    this.openSocketIo = openSocketIo;
  }

  /** The one that a transport of ours was handed. @throws TypeError if it is another's */
  static of(kernel: Kernel): GatewayKernel {
    if (kernel instanceof GatewayKernel) return kernel;
    throw new TypeError('this transport is made for createGateway');
  }

  get maxBufferedBytes(): number {
    return this.registry.options.maxBufferedBytes;
  }

  get maxFrameBytes(): number {
    return this.frames.maxFrameBytes;
  }

  now(): number {
    return this.registry.options.clock.now();
  }

  admit(request: IncomingMessage): Admitted | Refusal | Promise<Admitted | Refusal> {
    const verdict = this.registry.admit(request);
    return verdict instanceof Promise
      ? verdict.then((late) => checked(late, this.registry.options))
      : checked(verdict, this.registry.options);
  }

  refuse(request: IncomingMessage, response: ServerResponse, refusal: Refusal): void {
    logRefusal(this.registry.options.refusals, request, refusal);
    refuseRequest(response, refusal, corsHeaders(request, this.registry.options.origins));
  }

  refuseUpgrade(request: IncomingMessage, socket: Duplex, refusal: Refusal): void {
    logRefusal(this.registry.options.refusals, request, refusal);
    refuseUpgrade(socket, refusal);
  }

  enter({ route, identity }: Admitted, request: IncomingMessage, link: Link): Session {
    return this.registry.enter({ route: this.registry.routeAt(route.path), identity }, request, link);
  }

  leave(session: Session, code: number, reason: string): void {
    if (!(session instanceof ClientConnection)) throw new TypeError('this is no session of this gateway');
    this.registry.leave(session, code, reason);
  }
}

/** What is wrong with what a client asks for, before anything has begun: afterwards there is no status to say it with. */
export function wrongQuery(
  { route, query }: Pick<RegistryAdmitted, 'route' | 'query'>,
  limits: SubscriptionLimits,
): Refusal | undefined {
  try {
    if (query.snapshot) route.assertSnapshot();
    assertQuery(query, limits);
    return undefined;
  } catch (error) {
    return { status: 400, reason: 'request', message: toldError(error).message };
  }
}

function checked(verdict: RouteVerdict, limits: SubscriptionLimits): Admitted | Refusal {
  if (!('route' in verdict)) return verdict;
  return wrongQuery(verdict, limits) ?? verdict;
}
