const CLOCK: Intl.DateTimeFormatOptions = { hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' };
const clock = new Intl.DateTimeFormat(undefined, CLOCK);
const preciseClock = new Intl.DateTimeFormat(undefined, { ...CLOCK, fractionalSecondDigits: 3 });
const day = new Intl.DateTimeFormat(undefined, { day: '2-digit', month: 'short' });
const complete = new Intl.DateTimeFormat(undefined, { dateStyle: 'full', timeStyle: 'long' });

/**
 * Shows an RFC 3339 time in the reader's time zone; the day instead, if it is not today. The full date is shown on
 * hover.
 */
export function showTime(
  element: HTMLTimeElement,
  text: string | undefined,
  precision: 'seconds' | 'milliseconds',
): void {
  const date = new Date(text ?? Number.NaN);
  if (Number.isNaN(date.getTime())) {
    element.textContent = '–';
    return;
  }
  const isToday = date.toDateString() === new Date().toDateString();
  element.dateTime = date.toISOString();
  element.title = complete.format(date);
  element.textContent = isToday ? (precision === 'seconds' ? clock : preciseClock).format(date) : `${day.format(date)}`;
}

/** A time in the reader's time zone: `02:08:14`. */
export function clockTime(time: number): string {
  return clock.format(time);
}
