import type { PregonEvent } from '@pregon/client';
import { find, stamp } from '../dom.js';
import { showTime } from '../times.js';
import type { LogEntry } from './history.js';

/** The row of one entry, folded. */
export function createEntryElement(entry: LogEntry): HTMLLIElement {
  if ('note' in entry) {
    const element = stamp('log-note', HTMLLIElement);
    find(element, 'span', HTMLElement).textContent = entry.note;
    return element;
  }
  const { event } = entry;
  const element = stamp('log-entry', HTMLLIElement);
  showTime(find(element, 'time', HTMLTimeElement), event.time, 'milliseconds');
  find(element, '.chip', HTMLElement).textContent = event.type;
  find(element, '.subject', HTMLElement).textContent = event.subject ?? event.topic;
  find(element, '.position', HTMLElement).textContent = event.position ?? '';
  element.style.setProperty('--hue', String(hueOf(event.topic)));
  return element;
}

/** Fills in what is folded, before it is unfolded: for most entries that is never. */
export function writePayload(details: HTMLDetailsElement, event: PregonEvent): void {
  const list = find(details, 'dl', HTMLElement);
  if (list.childElementCount > 0) return;
  const { topic, id, source, sequence, position } = event;
  for (const [name, value] of Object.entries({ topic, id, source, sequence, position })) {
    if (value === undefined) continue;
    const term = document.createElement('dt');
    const description = document.createElement('dd');
    term.textContent = name;
    description.textContent = value;
    list.append(term, description);
  }
  const data = event.data ?? event.data_base64;
  find(details, 'pre', HTMLElement).textContent = data === undefined ? 'no data' : JSON.stringify(data, null, 2);
}

/** Far enough apart to be told from each other; none is the red of errors. */
const HUES = [265, 165, 320, 215, 95, 290, 130, 60] as const;

/** One hue for all that happens to one kind of thing, the first word of the topic, so that the eye can follow it. */
function hueOf(topic: string): number {
  const [entity = ''] = topic.split('.', 1);
  let hash = 0;
  for (let i = 0; i < entity.length; i++) hash = (Math.imul(hash, 31) + entity.charCodeAt(i)) | 0;
  return HUES[(hash >>> 0) % HUES.length] ?? HUES[0];
}
