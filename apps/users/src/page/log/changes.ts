import type { PregonEvent } from '@pregon/client';

/** What happened to the subject; `other` if neither the type nor the topic of the event shows it. */
export type Verb = 'created' | 'updated' | 'deleted' | 'other';

/** A part of the text that describes a change, with its role, which sets its colour. */
export interface Part {
  readonly role: 'key' | 'old' | 'new' | 'arrow' | 'plain';
  readonly text: string;
}

const VERBS: readonly (readonly [Verb, RegExp])[] = [
  ['created', /(created|added|inserted)$/i],
  ['updated', /(updated|changed|edited|renamed)$/i],
  ['deleted', /(deleted|removed)$/i],
];

/** Members that are not shown as changes: they identify the row, or change with every event. */
const ASIDE = new Set(['id', 'createdAt', 'updatedAt']);

/** Labels of members on the page, if they differ from the names. */
const LABELS: Readonly<Record<string, string>> = { email: 'e-mail' };

/** The most characters of one value that are shown. */
const MOST_CHARACTERS = 200;
/** The most changed members that are shown. */
const MOST_MEMBERS = 6;

export function verbOf({ type, topic }: Pick<PregonEvent, 'type' | 'topic'>): Verb {
  const word = topic.slice(topic.lastIndexOf('.') + 1);
  return VERBS.find(([, pattern]) => pattern.test(type) || pattern.test(word))?.[0] ?? 'other';
}

/**
 * Describes what an event changed: `name: Ada → Grace` for an update if the state before it is known, `was Ada` for a
 * deletion, otherwise the values.
 *
 * @param before the data of the last event of the same subject; undefined if it is not known
 */
export function describeChange(event: PregonEvent, before: unknown): Part[] {
  const verb = verbOf(event);
  const { data } = event;
  if (!isRecord(data)) return data === undefined ? [] : [plain(shown(data))];
  if (verb === 'deleted') return [{ role: 'old', text: `was ${titleOf(data)}` }];
  if (verb === 'updated' && isRecord(before)) return differences(before, data);
  const values = membersOf(data)
    .slice(0, MOST_MEMBERS)
    .map((name) => shown(data[name]));
  return values.length === 0 ? [] : [plain(values.join(', '))];
}

function differences(before: Readonly<Record<string, unknown>>, after: Readonly<Record<string, unknown>>): Part[] {
  const names = new Set([...membersOf(before), ...membersOf(after)]);
  const changed = [...names].filter((name) => !isSame(before[name], after[name])).slice(0, MOST_MEMBERS);
  if (changed.length === 0) return [{ role: 'old', text: 'nothing that is shown' }];
  return changed.flatMap((name, index): Part[] => [
    { role: 'key', text: `${index > 0 ? ', ' : ''}${LABELS[name] ?? name}: ` },
    { role: 'old', text: shown(before[name]) },
    { role: 'arrow', text: ' → ' },
    { role: 'new', text: shown(after[name]) },
  ]);
}

function membersOf(data: Readonly<Record<string, unknown>>): string[] {
  return Object.keys(data).filter((name) => !ASIDE.has(name));
}

/** The name of a row, or the first of its other members. */
function titleOf(data: Readonly<Record<string, unknown>>): string {
  const [first] = membersOf(data);
  return shown(data['name'] ?? (first === undefined ? data['id'] : data[first]));
}

function plain(text: string): Part {
  return { role: 'plain', text };
}

function shown(value: unknown): string {
  const text = typeof value === 'string' ? value : value === undefined ? '–' : JSON.stringify(value);
  return text.length > MOST_CHARACTERS ? `${text.slice(0, MOST_CHARACTERS)}…` : text;
}

function isSame(a: unknown, b: unknown): boolean {
  return a === b || JSON.stringify(a) === JSON.stringify(b);
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
