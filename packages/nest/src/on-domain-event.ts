import type { PregonEvent } from 'pregon';

/** A method with the {@link OnDomainEvent} decorator. */
export interface DomainEventMethod {
  /** `UsersService.welcome`, for logs. */
  readonly name: string;
  readonly types: readonly string[];
}

type Key = string | symbol;

// Decorators run when classes are defined, before an application exists that could hold them.
const methodsOfPrototypes = new WeakMap<object, Map<Key, DomainEventMethod>>();
const allMethods: DomainEventMethod[] = [];

/**
 * Decorates a method of a provider or controller. The method is called once for each event of the given types, in log
 * order, from the start of the application on. The next event waits until the promise that the method returns has
 * resolved. An error that the method throws is logged, and delivery goes on with the next event.
 *
 * @param types event types, such as `'UserWasCreated'`; `'*'` for all
 * @throws TypeError if no type is given
 * @example
 * ```ts
 * @OnDomainEvent('UserWasCreated')
 * async welcome(event: PregonEvent<{ email: string }>) {
 *   await this.mailer.sendWelcome(event.data.email);
 * }
 * ```
 */
export function OnDomainEvent(...types: readonly string[]) {
  if (types.length === 0)
    throw new TypeError("OnDomainEvent needs at least one event type, such as 'UserWasCreated', or '*' for all");
  // `never` accepts any data type, because only the application knows the data of its events.
  return <Method extends (event: PregonEvent<never>) => unknown>(
    prototype: object,
    key: Key,
    _descriptor: TypedPropertyDescriptor<Method>,
  ): void => {
    const methods = methodsOfPrototypes.get(prototype) ?? new Map<Key, DomainEventMethod>();
    const method = { name: `${prototype.constructor.name}.${String(key)}`, types };
    methodsOfPrototypes.set(prototype, methods.set(key, method));
    allMethods.push(method);
  };
}

/** All methods decorated so far in this process. */
export function decoratedMethods(): readonly DomainEventMethod[] {
  return allMethods;
}

/** The decorated methods of a prototype and its ancestors. A decorator on an overriding method takes precedence. */
export function decoratedMethodsOf(prototype: object): ReadonlyMap<Key, DomainEventMethod> {
  const found = new Map<Key, DomainEventMethod>();
  for (let at: object | null = prototype; at !== null; at = Reflect.getPrototypeOf(at)) {
    for (const [key, method] of methodsOfPrototypes.get(at) ?? []) if (!found.has(key)) found.set(key, method);
  }
  return found;
}
