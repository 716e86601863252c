const CLOCK: Intl.DateTimeFormatOptions = { hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' };
const clock = new Intl.DateTimeFormat(undefined, CLOCK);
const preciseClock = new Intl.DateTimeFormat(undefined, { ...CLOCK, fractionalSecondDigits: 3 });
const day = new Intl.DateTimeFormat(undefined, { day: '2-digit', month: 'short' });
const complete = new Intl.DateTimeFormat(undefined, { dateStyle: 'full', timeStyle: 'long' });

/** Shows a time of RFC 3339 as the reader's clock would, the day only where it is not today; all of it on hover. */
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

/** The reader's clock: `02:08:14`. */
export function clockTime(time: number): string {
  return clock.format(time);
}
