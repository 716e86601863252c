import { expect, it } from 'vitest';
import { parseTarget } from '../../src/transports/query.js';

it.each([
  ['/events', { path: '/events', topics: undefined, since: undefined, snapshot: false }],
  ['/events?topics=user.%23,a.*&topics=b', { path: '/events', topics: ['user.#', 'a.*', 'b'] }],
  ['/events?since=first&snapshot=true', { path: '/events', since: 'first', snapshot: true }],
  ['http://localhost:1234/events?since=first', { path: '/events', since: 'first' }],
  ['*', { path: '*' }],
])('the target %s is read', (target, query) => {
  expect(parseTarget(target)).toMatchObject(query);
});
