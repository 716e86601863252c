import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { isRefusal, type Verdict } from '../../core/admission/decision.js';
import type { OtherGateways } from '../../core/broadcasts/other-gateways.js';
import type { Allowed, EntranceName, Refusal } from '../../core/ports/admission.js';
import type { Entrance } from '../entrance.js';
import type { Claim } from '../http/claim.js';
import { GOING_AWAY, refuseRequest, refuseUpgrade } from '../http/refusal.js';
import { guard } from '../sockets/guarded-socket.js';
import { SocketIoBus } from './bus/socketio-bus.js';
import { loadSocketIo, socketIo } from './library.js';
import { EndedSessions } from './recovery/ended-sessions.js';
import { refusePoll, refuseSocket } from './refusals.js';
import { SocketIoEntrance, type SocketIoEntranceOptions } from './socketio-entrance.js';
import { SocketIoTargets } from './socketio-path.js';
import type { OnlySocketIoTypes, SocketIo } from './socketio-types.js';

const UNAVAILABLE: Refusal = { status: 503, message: 'Socket.IO is not available now' };

export interface LazySocketIoOptions extends Omit<SocketIoEntranceOptions, 'bus' | 'endedSessions'> {
  readonly others: OtherGateways | undefined;
}

/**
 * The entrance of Socket.IO. The library is loaded, and its server created, when the first client connects or the
 * application uses `gateway.io`. So applications without Socket.IO clients pay neither time nor memory for it.
 *
 * Nothing is lost before that. A gateway without Socket.IO clients has no receiver for what other gateways emit.
 * Sessions that clients end at other gateways are recorded from the start.
 */
export class LazySocketIo<T extends OnlySocketIoTypes<T>> implements Entrance {
  readonly #options: SocketIoEntranceOptions;
  readonly #prepare: (entrance: SocketIoEntrance<T>) => void;
  readonly #targets: SocketIoTargets;
  readonly #onFailed: (error: unknown) => void;
  readonly #name: EntranceName;
  #entrance: SocketIoEntrance<T> | undefined;
  #isDestroyed = false;
  /** Why the server cannot be created. There is no retry: each attempt would leave timers and an adapter behind. */
  #failure: { readonly error: unknown } | undefined;

  /**
   * @param others undefined if the log has no channel to other gateways
   * @param prepare called with the entrance before any client uses it
   * @param onFailed called if a client cannot be served; called once if the server cannot be created
   */
  constructor(
    { others, ...options }: LazySocketIoOptions,
    prepare: (entrance: SocketIoEntrance<T>) => void,
    onFailed: (error: unknown) => void,
  ) {
    this.#options = { ...options, bus: new SocketIoBus(others), endedSessions: new EndedSessions(others) };
    this.#prepare = prepare;
    this.#onFailed = onFailed;
    this.#targets = new SocketIoTargets(options.options);
    this.#name = { kind: 'socket.io', name: this.#targets.path };
  }

  get io(): SocketIo<T> {
    return this.#load().io;
  }

  /** All paths below it belong to Socket.IO. */
  get path(): string {
    return this.#targets.path;
  }

  get claims(): readonly Claim[] {
    return this.#targets.claims;
  }

  knows(target: string | undefined): boolean {
    return this.#targets.includes(target);
  }

  arrives(request: IncomingMessage): boolean {
    return this.#entrance?.arrives(request) ?? true;
  }

  request(request: IncomingMessage, response: ServerResponse): void {
    const refuse = (refusal: Refusal) => refuseRequest(response, refusal);
    // The client script is public. If Socket.IO does not serve it, the engine asks the admissions.
    if (this.#targets.areForClientScript(request)) {
      return this.#whenLoaded((entrance) => entrance.request(request, response, undefined), refuse);
    }
    this.#whenAdmitted(
      request,
      (allowed) => this.#whenLoaded((entrance) => entrance.request(request, response, allowed), refuse),
      (refusal) => refusePoll(this.#options.registry, request, response, refusal),
    );
  }

  upgrade(request: IncomingMessage, stream: Duplex, head: Buffer): void {
    // Engine.IO answers some requests later, and until then the socket would have no error listener.
    guard(stream);
    const refuse = (refusal: Refusal) => refuseUpgrade(stream, refusal);
    this.#whenAdmitted(
      request,
      (allowed) => this.#whenLoaded((entrance) => entrance.upgrade(request, stream, head, allowed), refuse),
      (refusal) => refuseSocket(this.#options.registry, request, stream, refusal),
    );
  }

  destroy(): void {
    this.#isDestroyed = true;
    this.#entrance?.destroy();
  }

  #load(): SocketIoEntrance<T> {
    if (this.#entrance) return this.#entrance;
    if (this.#failure) throw this.#failure.error;
    try {
      const entrance = new SocketIoEntrance<T>(this.#options, this.#targets, socketIo());
      this.#prepare(entrance);
      this.#entrance = entrance;
      if (this.#isDestroyed) entrance.destroy();
      return entrance;
    } catch (error) {
      this.#fail(error);
      throw error;
    }
  }

  /** Asks the admissions before Socket.IO is loaded: a refused client must not cause the load. */
  #whenAdmitted(
    request: IncomingMessage,
    proceed: (allowed: Allowed) => void,
    refuse: (refusal: Refusal) => void,
  ): void {
    const decided = (verdict: Verdict) => (isRefusal(verdict) ? refuse(verdict) : proceed(verdict));
    const found = this.#entrance?.sessionOf(request);
    const verdict = this.#options.registry.decide(request, this.#name, { isNew: !found, found });
    if (!(verdict instanceof Promise)) return decided(verdict);
    verdict.then(decided).catch((error: unknown) => {
      this.#onFailed(error);
      refuse(UNAVAILABLE);
    });
  }

  /** Clients are served in the order of their arrival. */
  #whenLoaded(serve: (entrance: SocketIoEntrance<T>) => void, refuse: (refusal: Refusal) => void): void {
    if (this.#entrance) return serve(this.#entrance);
    if (this.#failure) return refuse(UNAVAILABLE);
    loadSocketIo()
      .catch((error: unknown) => this.#fail(error))
      .then(() => {
        if (this.#isDestroyed) return refuse(GOING_AWAY);
        const entrance = this.#loaded();
        if (entrance) serve(entrance);
        else refuse(UNAVAILABLE);
      })
      .catch((error: unknown) => {
        // The failure concerns only this request.
        this.#onFailed(error);
        refuse(UNAVAILABLE);
      });
  }

  /** Returns undefined if the server cannot be created, which has already been reported. */
  #loaded(): SocketIoEntrance<T> | undefined {
    if (this.#failure) return undefined;
    try {
      return this.#load();
    } catch {
      return undefined;
    }
  }

  /** Reports the failure once, however many clients connect. */
  #fail(error: unknown): void {
    if (this.#failure) return;
    this.#failure = { error };
    this.#onFailed(error);
  }
}
