import { describe, expect, it } from 'vitest';
import { Flags } from '../../src/cli/flags.js';
import { planGateway } from '../../src/cli/run/gateway-plan.js';
import { run } from '../../src/cli/run/run.js';
import type { Configuration } from '../../src/config/configuration.js';

const URL_OF_APPLICATION = 'http://localhost:8080/snapshots/users';
const NONE: Configuration = { file: undefined, routes: {}, limits: {}, subscriberFiles: [] };

/** The snapshot of each route, by the flags of `pregon run`. */
function snapshotsOf(flags: Record<string, readonly string[]>, configuration = NONE) {
  const given = new Flags(run.flags);
  for (const [name, values] of Object.entries({ exchange: ['e'], ...flags })) {
    for (const value of values) given.add(name, value);
  }
  const { routes } = planGateway(given, configuration);
  return Object.fromEntries(Object.entries(routes).map(([name, { snapshot }]) => [name, snapshot]));
}

describe('[fault G1] pregon run --snapshot', () => {
  it('applies to the only route', () => {
    expect(snapshotsOf({ route: ['events'], snapshot: [URL_OF_APPLICATION] })).toEqual({ events: URL_OF_APPLICATION });
  });

  it('names the route if there are several, and the URL may contain an equals sign', () => {
    const url = `${URL_OF_APPLICATION}?a=b=c`;
    const named = [`teams=${url}`, `rs.2=${URL_OF_APPLICATION}`];
    expect(snapshotsOf({ route: ['events', 'teams', 'rs.2'], snapshot: named })).toEqual({
      events: undefined,
      teams: url,
      'rs.2': URL_OF_APPLICATION,
    });
    expect(snapshotsOf({ route: ['events'], snapshot: [url] })).toEqual({ events: url });
  });

  it('takes precedence over the configuration', () => {
    const routes = { events: { path: '/events', snapshot: 'http://old.example/', handlerFiles: [] } };
    const configuration = { ...NONE, routes };
    expect(snapshotsOf({}, configuration)).toEqual({ events: 'http://old.example/' });
    expect(snapshotsOf({ snapshot: [URL_OF_APPLICATION] }, configuration)).toEqual({ events: URL_OF_APPLICATION });
  });

  it.each([
    ['no URL', ['events'], ['/snapshots'], /--snapshot=http:\/\/localhost:8080\/snapshots\/users/],
    ['a URL of another scheme', ['events'], ['ws://localhost/'], /must be an http:\/\/ or https:\/\/ URL/],
    [
      'no route, of several',
      ['a', 'b'],
      [URL_OF_APPLICATION],
      /name the route of the snapshot, such as --snapshot=a=URL \(the routes are a, b\)/,
    ],
    ['an unknown route', ['a'], [`b=${URL_OF_APPLICATION}`], /there is no route "b"; the routes are a/],
    ['a route twice', ['a'], [URL_OF_APPLICATION, `a=${URL_OF_APPLICATION}`], /route "a" was given two snapshots/],
  ])('with %s is refused, and says what to write', (_, route, snapshot, message) => {
    expect(() => snapshotsOf({ route, snapshot })).toThrow(message);
  });

  it('causes a warning if the URL has a password, and errors do not show it', () => {
    const flags = new Flags(run.flags);
    flags.add('snapshot', 'events=http://me:hidden@localhost/');
    expect([...flags.secrets()].join()).toMatch(/pregon\.yml/);
    const wrong = { route: ['a', 'b'], snapshot: ['http://me:hidden@localhost/'] };
    expect(() => snapshotsOf(wrong)).toThrow(
      expect.not.objectContaining({ message: expect.stringContaining('hidden') }),
    );
  });
});
