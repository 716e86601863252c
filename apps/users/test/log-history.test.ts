import type { PregonEvent } from '@pregon/client';
import { describe, expect, it } from 'vitest';
import { parseFilter, type TopicFilter } from '../src/page/log/filter.js';
import { EventHistory, type LogEntry } from '../src/page/log/history.js';

describe('the event log of the page', () => {
  it('[000-22] holds the events in order, and only the newest ones once the limit is reached', () => {
    const history = new EventHistory(3);
    append(history, 'a.1', 'a.2', 'a.3', 'a.4', 'a.5');
    history.trim();
    expect(texts(history.shown)).toEqual(['a.3', 'a.4', 'a.5']);
    expect(history.size).toBe(3);
  });

  it('shows the existing and the new events that pass the filter', () => {
    const history = new EventHistory(3);
    append(history, 'a.1', 'b.1', 'a.2');
    history.filterBy(filter('a.*'));
    expect(texts(history.shown)).toEqual(['a.1', 'a.2']);
    append(history, 'b.2', 'a.3');
    history.trim();
    expect(texts(history.shown)).toEqual(['a.2', 'a.3']);
    append(history, 'b.3', 'b.4', 'b.5');
    history.trim();
    expect(texts(history.shown)).toEqual([]);
    history.filterBy(filter(''));
    expect(texts(history.shown)).toEqual(['b.3', 'b.4', 'b.5']);
  });

  it('does not change while it is paused, counts the waiting events, and catches up', () => {
    const history = new EventHistory(3);
    history.filterBy(filter('a.#'));
    append(history, 'a.1', 'a.2');
    history.pause();
    append(history, 'a.3', 'b.1', 'a.4');
    history.trim();
    expect(texts(history.shown)).toEqual(['a.1', 'a.2']);
    expect(history.heldBack).toBe(2);
    history.resume();
    expect(texts(history.shown)).toEqual(['a.3', 'a.4']);
    expect(history.heldBack).toBe(0);
  });

  it('holds, after a restart, only the note that says why, whatever the filter', () => {
    const history = new EventHistory(3);
    history.filterBy(filter('a.#'));
    append(history, 'a.1');
    history.pause();
    history.restart('replaced');
    history.resume();
    append(history, 'a.2');
    expect(texts(history.shown)).toEqual(['replaced', 'a.2']);
    expect(history.size).toBe(1);
  });

  it.each([
    ['', 'user.1.created', true],
    ['  ', 'user.1.created', true],
    ['user.#', 'user.1.created', true],
    ['user.*', 'user.1.created', false],
    ['bid.#, user.*.created', 'user.1.created', true],
    ['bid.# product.#', 'user.1.created', false],
  ])('with the filter %j shows the topic %s: %s', (text, topic, passes) => {
    expect(filter(text)(topic)).toBe(passes);
  });

  it.each(['user.x*', 'user..created', '.', 'user.#, bid.'])('does not accept %j as a filter', (text) => {
    expect(parseFilter(text)).toBeUndefined();
  });
});

function filter(text: string): TopicFilter {
  const parsed = parseFilter(text);
  if (!parsed) throw new TypeError(`not a filter: ${text}`);
  return parsed;
}

function append(history: EventHistory, ...topics: readonly string[]): void {
  for (const topic of topics) history.append(event(topic));
}

function event(topic: string): PregonEvent {
  return { specversion: '1.0', id: topic, source: '/', type: 'Happened', topic, exchange: 'my_events' };
}

function texts(entries: readonly LogEntry[]): string[] {
  return entries.map((entry) => ('note' in entry ? entry.note : entry.event.topic));
}
