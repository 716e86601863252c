const whole = new Intl.NumberFormat('en');
const tenths = new Intl.NumberFormat('en', { minimumFractionDigits: 1, maximumFractionDigits: 1 });

/** A number with separators: `20,871`. */
export function figure(value: number): string {
  return whole.format(value);
}

/** `1 event`, `412 events`. */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${figure(count)} ${count === 1 ? one : many}`;
}

/** `12.4 events/s`; a whole number from 100. */
export function eventsPerSecond(rate: number): string {
  return `${rate >= 100 || rate === 0 ? figure(Math.round(rate)) : tenths.format(rate)} events/s`;
}

/** A duration, at least a second: `9 s`, `2 min 5 s`. @param ms in milliseconds */
export function duration(ms: number): string {
  const seconds = Math.max(1, Math.round(ms / 1_000));
  const minutes = Math.floor(seconds / 60);
  return minutes === 0 ? `${seconds} s` : `${minutes} min ${seconds % 60} s`;
}

/**
 * A text as a sentence: with a capital letter, unless it starts with a URL or host, and a mark at its end.
 *
 * @example sentence('the path is no route') // 'The path is no route.'
 */
export function sentence(text: string): string {
  const trimmed = text.trim();
  if (trimmed === '') return '';
  const begun = /^\S+:/.test(trimmed) ? trimmed : `${trimmed.charAt(0).toUpperCase()}${trimmed.slice(1)}`;
  return /[.?!]$/.test(begun) ? begun : `${begun}.`;
}
