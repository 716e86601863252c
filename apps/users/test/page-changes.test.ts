import type { PregonEvent } from '@pregon/client';
import { describe, expect, it } from 'vitest';
import { describeChange, verbOf } from '../src/page/log/changes.js';
import { namedWords } from '../src/page/log/filter.js';
import { EventHistory } from '../src/page/log/history.js';

const ADA = { id: '1', name: 'Ada', email: 'ada@example.com', createdAt: 't', updatedAt: 't' };

function event(type: string, data: unknown, verb = 'happened'): PregonEvent {
  const subject = 'user/1';
  return { specversion: '1.0', id: 'x', source: '/users', type, subject, topic: `user.1.${verb}`, exchange: 'e', data };
}

const words = (type: string, data: unknown, before?: unknown) =>
  describeChange(event(type, data), before)
    .map(({ text }) => text)
    .join('');

describe('the description of an event on the page', () => {
  it.each([
    ['UserWasCreated', 'x', 'created'],
    ['OrderLineAdded', 'x', 'created'],
    ['UserWasUpdated', 'x', 'updated'],
    ['PriceWasChanged', 'x', 'updated'],
    ['UserWasDeleted', 'x', 'deleted'],
    ['com.example.order', 'removed', 'deleted'],
    ['OrderWasPlaced', 'placed', 'other'],
  ])('of type %s with the topic user.1.%s is %s', (type, word, verb) => {
    expect(verbOf(event(type, {}, word))).toBe(verb);
  });

  it('shows the changed fields of an update, compared with the last state on the page', () => {
    const history = new EventHistory(10);
    history.append(event('UserWasCreated', ADA));
    history.append(event('UserWasUpdated', { ...ADA, name: 'Grace', updatedAt: 'u' }));
    const [, entry] = history.shown;
    const parts = entry && 'event' in entry ? describeChange(entry.event, entry.before) : [];
    expect(parts.map(({ text }) => text).join('')).toBe('name: Ada → Grace');
  });

  it.each([
    [
      'two fields',
      'UserWasUpdated',
      { ...ADA, name: 'G', email: 'g@x' },
      ADA,
      'name: Ada → G, e-mail: ada@example.com → g@x',
    ],
    ['a new field', 'UserWasUpdated', { ...ADA, age: 36 }, ADA, 'age: – → 36'],
    ['a value that is not a string', 'UserWasUpdated', { tags: ['a'] }, { tags: [] }, 'tags: [] → ["a"]'],
    ['an update of an unknown user', 'UserWasUpdated', ADA, undefined, 'Ada, ada@example.com'],
    ['a created user', 'UserWasCreated', ADA, undefined, 'Ada, ada@example.com'],
    ['a deleted user', 'UserWasDeleted', ADA, ADA, 'was Ada'],
    ['no data', 'UserWasCreated', undefined, undefined, ''],
    ['data that is not an object', 'UserWasCreated', 'text', undefined, 'text'],
    ['a long value', 'UserWasCreated', { name: 'x'.repeat(300) }, undefined, `${'x'.repeat(200)}…`],
  ])('shows %s', (_what, type, data, before, shown) => {
    expect(words(type, data, before)).toBe(shown);
  });

  it.each([
    ['user.*.created', 'user.1.created', ['user', 'created']],
    ['user.#', 'user.1.created', ['user']],
    ['#.created', 'user.1.created', ['created']],
    ['user.#.created', 'user.created', ['user', 'created']],
    ['*.1.#', 'user.1.created', ['1']],
    ['#', 'user.1.created', []],
    ['order.#', 'user.1.created', []],
  ])('with the pattern %s names these words of a topic: %s', (pattern, topic, named) => {
    expect(namedWords(topic, [pattern]).flatMap(({ word, isNamed }) => (isNamed ? [word] : []))).toEqual(named);
  });
});
