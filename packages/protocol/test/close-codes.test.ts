import { describe, expect, it } from 'vitest';
import { CLOSE_CODES, ERROR_CODES, isErrorCode, mayReconnect, PregonError } from '../src/index.js';

describe('close codes', () => {
  it.each(Object.entries(CLOSE_CODES))(
    '%s: the number says whether to connect again',
    (_, { code, reconnect, reason }) => {
      expect(code).toBeGreaterThanOrEqual(4000);
      expect(code).toBeLessThan(5000);
      expect(reconnect).toBe(code < 4500);
      expect(mayReconnect(code)).toBe(reconnect);
      expect(new TextEncoder().encode(reason).length).toBeLessThanOrEqual(123);
    },
  );

  it('are unique', () => {
    const codes = Object.values(CLOSE_CODES).map(({ code }) => code);
    expect(new Set(codes).size).toBe(codes.length);
  });

  it.each([
    [1000, true],
    [1001, true],
    [1002, false],
    [1005, true],
    [1006, true],
    [1007, false],
    [1008, false],
    [1009, false],
    [1011, true],
    [1012, true],
    [1013, true],
    [4000, true],
    [4499, true],
    [4500, false],
    [4999, false],
  ])('say whether a client may connect again after %i: %s', (code, expected) => {
    expect(mayReconnect(code)).toBe(expected);
  });
});

describe('PregonError', () => {
  it('derives retryable from its code, and keeps its cause', () => {
    const cause = new Error('disk');
    const error = new PregonError('LOG_UNAVAILABLE', 'the log cannot be read', { cause });
    expect(error).toMatchObject({ name: 'PregonError', code: 'LOG_UNAVAILABLE', retryable: true, cause });
    expect(error).toBeInstanceOf(Error);
    expect(new PregonError('FRAME_INVALID', '').retryable).toBe(false);
  });

  it('has known codes, which do not include inherited property names', () => {
    for (const code of Object.keys(ERROR_CODES)) expect(isErrorCode(code)).toBe(true);
    for (const code of ['toString', '__proto__', 'constructor', '', 'frame_invalid'])
      expect(isErrorCode(code)).toBe(false);
  });
});
