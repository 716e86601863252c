import { basename, extname } from 'node:path';
import { pathToFileURL } from 'node:url';
import * as protocol from '@pregon/protocol';
import { messageOf } from '@pregon/protocol';
import type { LogDriver } from '../core/ports/log-driver.js';
import type { Built, HandlerContext, RouteHandlers, Subscriber } from '../gateway/options.js';
import type { FileReference } from './configuration.js';
import { nearest } from './nearest.js';
import { ConfigurationError } from './problems.js';

/**
 * Loads the default export of a file: handlers, or a function that builds them. The result of the function is checked
 * when it is called.
 *
 * @throws ConfigurationError with the place in the configuration that names the file
 */
export function loadHandlers(reference: FileReference): Promise<Built<RouteHandlers>> {
  return loadBuilt(reference, handlersProblem, isHandlers);
}

/** @throws ConfigurationError with the place in the configuration that names the file */
export async function loadSubscriber(reference: FileReference): Promise<Built<Subscriber>> {
  const built = await loadBuilt(reference, subscriberProblem, isSubscriber);
  const name = basename(reference.file, extname(reference.file));
  return typeof built === 'function' ? async (context) => named(await built(context), name) : named(built, name);
}

/** @throws ConfigurationError with the place in the configuration that names the file */
export async function loadLogDriver(reference: FileReference): Promise<LogDriver> {
  const exported = await importDefault(reference);
  const driver: unknown = isFunction(exported) ? exported() : exported;
  if (isLogDriver(driver)) return driver;
  throw new ConfigurationError([`${reference.where}: ${logDriverProblem(driver)}`]);
}

function named(subscriber: Subscriber, name: string): Subscriber {
  return { name: subscriber.name ?? name, events: subscriber.events, handle: (event) => subscriber.handle(event) };
}

async function loadBuilt<T extends object>(
  reference: FileReference,
  problemOf: (value: unknown) => string | undefined,
  hasShape: (value: unknown) => value is T,
): Promise<Built<T>> {
  const check = (value: unknown): T => {
    if (hasShape(value)) return value;
    throw new ConfigurationError([`${reference.where}: ${problemOf(value)}`]);
  };
  const exported = await importDefault(reference);
  if (!isFunction(exported)) return check(exported);
  return async (context: HandlerContext) => {
    let built: unknown;
    try {
      built = await exported(context);
    } catch (cause) {
      throw new ConfigurationError([`${reference.where}: ${lineOf(cause)}`], { cause });
    }
    return check(built);
  };
}

/** Node 20 cannot strip types, so TypeScript is loaded by jiti. JavaScript is imported directly. */
async function importDefault({ file, where }: FileReference): Promise<unknown> {
  let module: unknown;
  try {
    module = /\.[cm]?ts$/.test(file) ? await importTypeScript(file) : await import(pathToFileURL(file).href);
  } catch (cause) {
    throw new ConfigurationError([`${where}: the file cannot be loaded: ${lineOf(cause)}`], { cause });
  }
  if (typeof module === 'object' && module !== null && 'default' in module) return module.default;
  throw new ConfigurationError([`${where}: the file has no default export`]);
}

async function importTypeScript(file: string): Promise<unknown> {
  // If jiti loaded our packages again, their error classes would be copies that `instanceof` here does not match.
  const virtualModules = { pregon: await import('../index.js'), '@pregon/protocol': protocol };
  const { createJiti } = await import('jiti');
  return createJiti(import.meta.url, { fsCache: false, virtualModules }).import(file);
}

const HANDLERS = ['opened', 'closed', 'error', 'message', 'messages'];

function isHandlers(value: unknown): value is RouteHandlers {
  return handlersProblem(value) === undefined;
}

function handlersProblem(value: unknown): string | undefined {
  if (!isObject(value)) return `must be an object with one or more of ${HANDLERS.join(', ')}`;
  const unknown = unknownMember(value, HANDLERS);
  if (unknown !== undefined) return unknown;
  const present = HANDLERS.filter((name) => Reflect.get(value, name) !== undefined);
  if (present.length === 0) return `has none of ${HANDLERS.join(', ')}`;
  const wrong = present.find((name) => name !== 'messages' && !isFunction(Reflect.get(value, name)));
  if (wrong !== undefined) return `${wrong} must be a function`;
  const messages: unknown = Reflect.get(value, 'messages');
  if (messages === undefined) return undefined;
  if (!isObject(messages)) return 'messages must be an object of functions';
  const notCallable = Object.entries(messages).find(([, handler]) => !isFunction(handler));
  return notCallable && `messages.${notCallable[0]} must be a function`;
}

const SUBSCRIBER = ['name', 'events', 'handle'];

function isSubscriber(value: unknown): value is Subscriber {
  return subscriberProblem(value) === undefined;
}

function subscriberProblem(value: unknown): string | undefined {
  if (!isObject(value)) return 'must be an object with events and handle';
  const unknown = unknownMember(value, SUBSCRIBER);
  if (unknown !== undefined) return unknown;
  const events: unknown = Reflect.get(value, 'events');
  if (!Array.isArray(events) || events.length === 0 || !events.every((type) => typeof type === 'string')) {
    return "events must be a list of event types, or ['*'] for all";
  }
  if (!isFunction(Reflect.get(value, 'handle'))) return 'handle must be a function';
  const name: unknown = Reflect.get(value, 'name');
  return name === undefined || typeof name === 'string' ? undefined : 'name must be a string';
}

function isLogDriver(value: unknown): value is LogDriver {
  return logDriverProblem(value) === undefined;
}

function logDriverProblem(value: unknown): string | undefined {
  if (!isObject(value)) return 'must be a log driver, or a function that returns one';
  if (typeof Reflect.get(value, 'name') !== 'string') return 'name must be a string';
  const schemes: unknown = Reflect.get(value, 'schemes');
  const isList = Array.isArray(schemes) && schemes.every((scheme) => typeof scheme === 'string');
  if (!isList || schemes.length === 0) return 'schemes must be a list of URL schemes';
  const wrong = ['assertUrl', 'capabilities', 'open'].find((name) => !isFunction(Reflect.get(value, name)));
  return wrong && `${wrong} must be a function`;
}

/** Only plain objects are checked: an instance of a class may have further members. */
function unknownMember(value: object, known: readonly string[]): string | undefined {
  if (Object.getPrototypeOf(value) !== Object.prototype) return undefined;
  const unknown = Object.keys(value).find((key) => !known.includes(key));
  if (unknown === undefined) return undefined;
  const meant = nearest(unknown, known);
  return `"${unknown}" is not one of ${known.join(', ')}${meant ? `; did you mean "${meant}"?` : ''}`;
}

function isFunction(value: unknown): value is (...args: unknown[]) => unknown {
  return typeof value === 'function';
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function lineOf(cause: unknown): string {
  return messageOf(cause).replace(/\s*\n\s*/g, ' ');
}
