import type { DiscoveryService } from '@nestjs/core';
import { toError } from '@pregon/protocol';
import type { Logger, PregonEvent, Subscriber } from 'pregon';
import { type DomainEventMethod, decoratedMethods, decoratedMethodsOf } from './on-domain-event.js';

type Call = (event: PregonEvent) => unknown;
type Wrapper = ReturnType<DiscoveryService['getProviders']>[number];

/**
 * Delivers events to methods with the `OnDomainEvent` decorator. The gateway starts before the application's providers
 * exist. So each method has a subscriber from the start, which holds the first event until the providers are known; no
 * event is missed.
 */
export class DomainEvents {
  readonly subscribers: readonly Subscriber[];
  readonly #logger: Logger;
  readonly #calls = new Map<DomainEventMethod, Call[]>();
  #hasBegun = false;
  #begin: () => void = () => {};
  readonly #begun = new Promise<void>((resolve) => {
    this.#begin = resolve;
  });

  constructor(logger: Logger) {
    this.#logger = logger;
    this.subscribers = decoratedMethods().map((method) => ({
      name: method.name,
      events: method.types,
      handle: (event) => this.#handle(method, event),
    }));
  }

  /**
   * Finds the providers and controllers with decorated methods, and starts delivery.
   *
   * @throws TypeError if such a provider is request-scoped, because an event has no request to create it for
   */
  begin(discovery: DiscoveryService): void {
    const seen = new Set<object>();
    for (const wrapper of [...discovery.getProviders(), ...discovery.getControllers()]) this.#add(wrapper, seen);
    this.#hasBegun = true;
    this.#begin();
  }

  /** False while an event may still wait for `begin`; such an event does not count as handled. */
  get hasBegun(): boolean {
    return this.#hasBegun;
  }

  #add(wrapper: Wrapper, seen: Set<object>): void {
    const instance: unknown = wrapper.instance;
    if (typeof instance !== 'object' || instance === null || seen.has(instance)) return;
    seen.add(instance);
    for (const [key, method] of decoratedMethodsOf(instance)) {
      if (!wrapper.isDependencyTreeStatic()) {
        throw new TypeError(
          `OnDomainEvent: ${method.name} belongs to a request-scoped provider; use the default scope`,
        );
      }
      const call = (event: PregonEvent) => Reflect.apply(Reflect.get(instance, key), instance, [event]);
      this.#calls.set(method, [...(this.#calls.get(method) ?? []), call]);
    }
  }

  async #handle(method: DomainEventMethod, event: PregonEvent): Promise<void> {
    await this.#begun;
    for (const call of this.#calls.get(method) ?? []) {
      try {
        await call(event);
      } catch (thrown) {
        const err = toError(thrown);
        this.#logger.error({ err, subscriber: method.name, type: event.type, id: event.id }, 'a subscriber failed');
      }
    }
  }
}
