import type { PregonEvent } from 'pregon';

/** A method that was decorated with {@link OnDomainEvent}. */
export interface DomainEventMethod {
  /** `UsersService.welcome`, for logs. */
  readonly name: string;
  readonly types: readonly string[];
}

type Key = string | symbol;

// Decorators run as classes are defined, before there is an application that could keep them.
const methodsOfPrototypes = new WeakMap<object, Map<Key, DomainEventMethod>>();
const allMethods: DomainEventMethod[] = [];

/**
 * On a method of any provider or controller: called once for each event of these types, in the order of the log, from the application's
 * start on. The next event waits until the promise that it returns has resolved. What it throws is logged, and the next event follows.
 *
 * @param types event types: `'UserWasCreated'`; `'*'` for all
 * @throws TypeError where none is given
 */
export function OnDomainEvent(...types: readonly string[]) {
  if (types.length === 0) throw new TypeError('OnDomainEvent needs the type of an event');
  // `never`: what data the event of a type has, the application knows.
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

/** Every method that was decorated so far in this process. */
export function decoratedMethods(): readonly DomainEventMethod[] {
  return allMethods;
}

/** What is decorated on a prototype or above it; where a class decorates again what it inherits, its own word counts. */
export function decoratedMethodsOf(prototype: object): ReadonlyMap<Key, DomainEventMethod> {
  const found = new Map<Key, DomainEventMethod>();
  for (let at: object | null = prototype; at !== null; at = Reflect.getPrototypeOf(at)) {
    for (const [key, method] of methodsOfPrototypes.get(at) ?? []) if (!found.has(key)) found.set(key, method);
  }
  return found;
}
