import { find, stamp } from '../dom.js';
import { showTime } from '../times.js';
import { describeChange, type Part, type Verb, verbOf } from './changes.js';
import { namedWords } from './filter.js';
import type { EventEntry, LogEntry } from './history.js';

const ICONS: Readonly<Record<Verb, string>> = { created: 'add', updated: 'edit', deleted: 'minus', other: 'dot' };
const WORDS: Readonly<Record<Exclude<Verb, 'other'>, string>> = {
  created: 'Created',
  updated: 'Updated',
  deleted: 'Deleted',
};

/** The most characters of a payload that are shown; an event can have 1 MB. */
const MOST_CHARACTERS = 20_000;

/** The folded row of an entry. @param patterns the patterns of the filter; the words that they contain are marked */
export function createEntryElement(entry: LogEntry, patterns: readonly string[]): HTMLLIElement {
  if ('note' in entry) {
    const element = stamp('log-note', HTMLLIElement);
    element.dataset['kind'] = entry.kind;
    find(element, 'span', HTMLElement).textContent = entry.note;
    return element;
  }
  const { event, before } = entry;
  const element = stamp('log-entry', HTMLLIElement);
  showTime(find(element, 'time', HTMLTimeElement), event.time, 'milliseconds');
  const verb = verbOf(event);
  find(element, '.verb', HTMLElement).classList.add(verb);
  find(element, '.verb use', SVGUseElement).setAttribute('href', `#icon-${ICONS[verb]}`);
  find(element, '.word', HTMLElement).textContent = verb === 'other' ? event.type : WORDS[verb];
  find(element, '.who', HTMLElement).textContent = (event.subject ?? '').replace('/', ' ');
  writeParts(find(element, '.diff', HTMLElement), describeChange(event, before));
  const topic = find(element, '.topic', HTMLElement);
  topic.title = event.topic;
  topic.append(...topicParts(event.topic, patterns));
  return element;
}

/** The unfolded details of an event. */
export function createPayload({ event, latencyMs }: EventEntry): HTMLElement {
  const payload = stamp('log-payload', HTMLDivElement);
  const list = find(payload, 'dl', HTMLElement);
  const { type, topic, id, source, sequence, position } = event;
  const latency = latencyMs === undefined ? undefined : `${Math.max(0, Math.round(latencyMs))} ms`;
  const details = {
    Type: type,
    Topic: topic,
    'Commit to page': latency,
    Source: source,
    Sequence: sequence?.replace(/^0+(?=\d)/, ''),
    Id: id,
    Position: position,
  };
  for (const [name, value] of Object.entries(details)) if (value !== undefined) list.append(detail(name, value));
  const data = event.data ?? event.data_base64;
  const text = data === undefined ? 'no data' : JSON.stringify(data, null, 2);
  const cut = text.length - MOST_CHARACTERS;
  find(payload, 'pre', HTMLElement).textContent =
    cut > 0 ? `${text.slice(0, MOST_CHARACTERS)}\n… ${cut.toLocaleString('en')} more characters` : text;
  return payload;
}

function detail(name: string, value: string): HTMLElement {
  const pair = document.createElement('div');
  const term = document.createElement('dt');
  const description = document.createElement('dd');
  term.textContent = name;
  description.textContent = value;
  pair.append(term, description);
  return pair;
}

/** Writes the parts so that the first change is visible as long as there is room; the others are cut off first. */
function writeParts(element: HTMLElement, parts: readonly Part[]): void {
  const first = parts.findIndex(({ role }) => role === 'new') + 1 || parts.length;
  element.append(...parts.slice(0, first).map(partElement));
  if (parts.length > first) {
    const more = document.createElement('span');
    more.className = 'more';
    more.append(...parts.slice(first).map(partElement));
    element.append(more);
  }
  element.title = element.textContent ?? '';
}

function partElement({ role, text }: Part): HTMLElement {
  const span = document.createElement('span');
  span.className = role;
  span.textContent = text;
  return span;
}

function topicParts(topic: string, patterns: readonly string[]): Node[] {
  return namedWords(topic, patterns).flatMap(({ word, isNamed }, index) => {
    const text = document.createTextNode(word);
    const dot = index === 0 ? [] : [document.createTextNode('.')];
    if (!isNamed) return [...dot, text];
    const mark = document.createElement('mark');
    mark.append(text);
    return [...dot, mark];
  });
}
