import { describe, expect, it } from 'vitest';
import { assertAccess, assertProductionAccess, thisMachineFor } from '../../src/gateway/access/access-mode.js';

const auth = { issuers: [] };
const opened = { events: { access: 'public' } };
const closed = { events: {} };

describe('[I-9] [H-01] Only this machine may connect', () => {
  it('unless auth or access is set', () => {
    expect(thisMachineFor({})).toBeDefined();
    expect(thisMachineFor({ routes: opened })).toBeDefined();
    expect(thisMachineFor({ access: 'public' })).toBeUndefined();
    expect(thisMachineFor({ auth })).toBeUndefined();
    expect(thisMachineFor({ access: true })).toBeDefined();
  });
});

describe('[H-01] A gateway in production', () => {
  it('does not start if nothing says who may connect, and says what to configure', () => {
    for (const options of [{}, { routes: closed }, { routes: {} }]) {
      expect(() => assertProductionAccess(options, true)).toThrow(
        expect.objectContaining({
          code: 'CONFIG_INVALID',
          message: expect.stringMatching(
            /configure auth; .*--access=public, PREGON_ACCESS=public .*; or unset NODE_ENV/,
          ),
        }),
      );
      assertProductionAccess(options, false);
    }
  });

  it('starts with auth, with access, or with a public route', () => {
    for (const options of [{ auth }, { access: 'public' }, { routes: opened }]) assertProductionAccess(options, true);
  });
});

describe('[H-01] access', () => {
  it.each<[name: string, options: Parameters<typeof assertAccess>[0], error: RegExp]>([
    ['of the gateway has another value than public', { access: 'Public' }, /^access must be 'public'/],
    ['of the gateway is a boolean', { access: true }, /^access must be 'public'/],
    ['of a route has another value', { routes: { a: { access: 'authenticated' } } }, /^routes\.a\.access must be/],
    ['is set beside auth', { access: 'public', auth }, /beside auth.*open single routes/],
  ])('is refused if it %s', (_, options, error) => {
    expect(() => assertAccess(options)).toThrow(error);
    expect(() => assertAccess(options)).toThrow(TypeError);
  });

  it.each([null, false, 0, '', true, 'issuers', () => {}])(
    '[I-9] does not open a gateway whose auth is %s',
    (wrong) => {
      expect(() => assertAccess({ auth: wrong })).toThrow(/^auth must be an object/);
      expect(() => assertAccess({ auth: wrong, routes: opened })).toThrow(TypeError);
    },
  );

  it('may be set for a route with and without auth', () => {
    assertAccess({ auth, routes: opened });
    assertAccess({ routes: opened });
    assertAccess({ access: 'public', routes: opened });
  });
});
