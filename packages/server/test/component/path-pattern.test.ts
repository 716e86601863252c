import { describe, expect, it } from 'vitest';
import { PathPattern } from '../../src/transports/component/path-pattern.js';

function match(pattern: string, path: string): Readonly<Record<string, string>> | undefined {
  return new PathPattern(pattern).match(path);
}

describe('the path of a component', () => {
  it.each([
    ['/', '/', {}],
    ['/chat', '/chat', {}],
    ['/chat/:room', '/chat/lobby', { room: 'lobby' }],
    ['/chat/:room', '/chat/a%20b%2Fc', { room: 'a b/c' }],
    ['/chat/:room', '/chat/:room', { room: ':room' }],
    ['/:a/x/:b_2', '/1/x/%C3%B1', { a: '1', b_2: 'ñ' }],
  ])('with the pattern %s matches %s', (pattern, path, parameters) => {
    expect(match(pattern, path)).toEqual(parameters);
  });

  it('may have a parameter of any name, even of an inherited property', () => {
    const parameters = match('/:__proto__/:constructor', '/a/b');
    expect(Object.entries(parameters ?? {})).toEqual([
      ['__proto__', 'a'],
      ['constructor', 'b'],
    ]);
    expect(Object.getPrototypeOf(parameters)).toBe(Object.prototype);
  });

  it.each([
    ['/chat', '/chat/'],
    ['/chat', '/Chat'],
    ['/chat', '/chat/a'],
    ['/chat', '*'],
    ['/chat/:room', '/chat'],
    ['/chat/:room', '/chat/'],
    ['/chat/:room', '/chat/a/b'],
    ['/chat/:room', '/other/a'],
    ['/chat/:room', '/chat/%'],
    ['/chat/:room', '/chat/%ff'],
  ])('with the pattern %s does not match %s', (pattern, path) => {
    expect(match(pattern, path)).toBeUndefined();
  });

  it.each(['', 'chat', '/a b', '/a?b', '/a#b', '/:', '/:1', '/:a-b', '/:a/:a'])('cannot be %j', (text) => {
    expect(() => new PathPattern(text)).toThrow(TypeError);
  });

  it('has the same shape as another pattern that matches the same paths', () => {
    expect(new PathPattern('/chat/:room').shape).toBe(new PathPattern('/chat/:name').shape);
    expect(new PathPattern('/chat/:room').shape).not.toBe(new PathPattern('/chat/room').shape);
  });
});
