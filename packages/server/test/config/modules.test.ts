import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PregonError } from '@pregon/protocol';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadHandlers, loadSubscriber } from '../../src/config/modules.js';
import type { HandlerContext } from '../../src/gateway/options.js';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'pregon-modules-'));
});

afterEach(() => rmSync(folder, { recursive: true }));

const context: HandlerContext = {
  connections: (route) => {
    throw new PregonError('ROUTE_UNKNOWN', `there is no route "${route}"; the routes are: events`);
  },
  publish: () => Promise.reject(new Error('not used')),
  logger: { info() {}, warn() {}, error() {}, debug() {} },
};

function reference(name: string, text: string) {
  const file = join(folder, name);
  writeFileSync(file, text);
  return { file, where: 'pregon.yml:6:11 handlers[0]' };
}

describe('loadHandlers', () => {
  it.each([
    ['chat.mjs', 'export default { message(connection, data) { return data; } };'],
    ['chat.cjs', 'module.exports = { message(connection, data) { return data; } };'],
    ['chat.ts', 'export default { message(_: unknown, data: string): string { return data; } };'],
    [
      'class.ts',
      'class Chat { #greeting = "hi"; own = 1; message(): string { return this.#greeting; } }\nexport default new Chat();',
    ],
  ])('[000-09] loads %s', async (name, text) => {
    const handlers = await loadHandlers(reference(name, text));
    expect(handlers).toHaveProperty('message', expect.any(Function));
  });

  it('[000-14] creates handlers with their dependencies, each time it is called', async () => {
    const text = 'export default async ({ logger }) => ({ opened: () => logger });';
    const built = await loadHandlers(reference('build.mjs', text));
    if (typeof built !== 'function') throw new Error('a function was expected');
    expect((await built(context)).opened?.call(undefined, expect.anything())).toBe(context.logger);
  });

  it('gives TypeScript files the same error class as the gateway', async () => {
    symlinkSync(fileURLToPath(new URL('../../../../node_modules', import.meta.url)), join(folder, 'node_modules'));
    const text =
      "import { PregonError } from '@pregon/protocol';\n" +
      "export default { messages: { bid(): never { throw new PregonError('FORBIDDEN', 'no'); } } };";
    const handlers = await loadHandlers(reference('throws.ts', text));
    if (typeof handlers === 'function') throw new Error('an object was expected');
    expect(() => handlers.messages?.['bid']?.call(undefined, expect.anything(), 1)).toThrow(PregonError);
  });

  it.each([
    ['no default', 'export const message = 1;', 'the file has no default export'],
    [
      'nothing',
      'export default undefined;',
      'must be an object with one or more of opened, closed, error, message, messages',
    ],
    ['an empty object', 'export default {};', 'has none of opened, closed, error, message, messages'],
    [
      'a typo',
      'export default { onMessage() {} };',
      '"onMessage" is not one of opened, closed, error, message, messages',
    ],
    [
      'a similar name',
      'export default { mesage() {} };',
      '"mesage" is not one of opened, closed, error, message, messages; did you mean "message"?',
    ],
    ['a value that is not a function', 'export default { opened: true };', 'opened must be a function'],
    ['messages that are not functions', 'export default { messages: { bid: 1 } };', 'messages.bid must be a function'],
    ['an exception', 'throw new Error("boom\\nbang");', 'the file cannot be loaded: boom bang'],
    ['a missing import', 'import "./other.mjs"; export default {};', /the file cannot be loaded: Cannot find module/],
  ])('refuses a file with %s, and names the place in the configuration', async (name, text, message) => {
    const loading = loadHandlers(reference(`${name}.mjs`, text));
    await expect(loading).rejects.toThrow(PregonError);
    await expect(loading).rejects.toThrow(
      typeof message === 'string' ? `pregon.yml:6:11 handlers[0]: ${message}` : message,
    );
  });

  it('refuses a TypeScript file with a syntax error, in one line', async () => {
    const loading = loadHandlers(reference('broken.ts', 'export default {\n  message( {\n}'));
    await expect(loading).rejects.toThrow(/^pregon\.yml:6:11 handlers\[0\]: the file cannot be loaded: [^\n]+$/);
  });

  it('[000-08] reports an unknown route when the handlers are created', async () => {
    const text = 'export default ({ connections }) => { connections("evnets"); return { opened() {} }; };';
    const built = await loadHandlers(reference('asks.mjs', text));
    if (typeof built !== 'function') throw new Error('a function was expected');
    await expect(built(context)).rejects.toThrow(
      'pregon.yml:6:11 handlers[0]: there is no route "evnets"; the routes are: events',
    );
  });

  it('checks the handlers that a function creates, too', async () => {
    const built = await loadHandlers(reference('wrong.mjs', 'export default () => ({ opend() {} });'));
    if (typeof built !== 'function') throw new Error('a function was expected');
    await expect(built(context)).rejects.toThrow('"opend" is not one of');
  });
});

describe('loadSubscriber', () => {
  it('[000-13] names the subscriber after its file, and keeps its event types', async () => {
    const text = 'export default { events: ["UserWasCreated"], handle(event) { return [this.events, event]; } };';
    const subscriber = await loadSubscriber(reference('send-mail.mjs', text));
    expect(subscriber).toMatchObject({ name: 'send-mail', events: ['UserWasCreated'] });
    if (typeof subscriber === 'function') throw new Error('an object was expected');
    const event = { specversion: '1.0', id: '1', source: '/', type: 'T', topic: 't', exchange: 'e' } as const;
    expect(subscriber.handle(event)).toEqual([['UserWasCreated'], event]);
  });

  it.each([
    ['nothing', 'export default 1;', 'must be an object with events and handle'],
    ['no events', 'export default { handle() {} };', "events must be a list of event types, or ['*'] for all"],
    [
      'empty events',
      'export default { events: [], handle() {} };',
      "events must be a list of event types, or ['*'] for all",
    ],
    ['no handle', 'export default { events: ["*"] };', 'handle must be a function'],
    ['an invalid name', 'export default { name: 1, events: ["*"], handle() {} };', 'name must be a string'],
    [
      'a typo',
      'export default { event: ["*"], handle() {} };',
      '"event" is not one of name, events, handle; did you mean "events"?',
    ],
  ])('refuses a file with %s', async (name, text, message) => {
    await expect(loadSubscriber(reference(`${name}.mjs`, text))).rejects.toThrow(`handlers[0]: ${message}`);
  });
});
