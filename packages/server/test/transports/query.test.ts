import { expect, it } from 'vitest';
import { parseTarget } from '../../src/transports/http/query.js';

it.each([
  ['/events', { path: '/events', topics: undefined, since: undefined, snapshot: false }],
  ['/events?topics=user.%23,a.*&topics=b', { path: '/events', topics: ['user.#', 'a.*', 'b'] }],
  ['/events?since=first&snapshot=true', { path: '/events', since: 'first', snapshot: true }],
  ['http://localhost:1234/events?since=first', { path: '/events', since: 'first' }],
  ['*', { path: '*' }],
])('the query of %s is read', (target, query) => {
  expect(parseTarget(target, { maxTopics: 10 })).toMatchObject(query);
});

it('[fault A10] a list that is far too long is split only as far as necessary to refuse it', () => {
  const { topics } = parseTarget(`/events?topics=${','.repeat(15_000)}`, { maxTopics: 10 });
  expect(topics).toHaveLength(11);
});
