import type { Latencies, LoadResult } from '../../load/result.js';

/** Above this busy fraction, the event loop of this tool delays what it measures. */
const BUSY = 0.8;

/** If CPU time is below this fraction of the busy time, the process waits for a processor core. */
const STARVED = 0.7;

const WHOLE = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });

/** `12,345` */
export function count(value: number): string {
  return WHOLE.format(value);
}

/** `1.23 ms`, with three significant digits. */
export function milliseconds(value: number): string {
  return value >= 10_000
    ? `${(value / 1_000).toFixed(1)} s`
    : `${value >= 100 ? Math.round(value) : value.toPrecision(3)} ms`;
}

/** `1.9 MB`: decimal units, a megabyte is a million bytes. */
export function bytes(value: number): string {
  if (value >= 1e9) return `${(value / 1e9).toFixed(1)} GB`;
  return value >= 1e6 ? `${(value / 1e6).toFixed(1)} MB` : `${(value / 1e3).toFixed(1)} KB`;
}

/** The summary of a run, as text. @param hint where to look, see {@link hintFor} */
export function describeResult(result: LoadResult, hint?: string): string {
  const rows: (readonly [string, string])[] = [
    ['connections', describeConnections(result)],
    ['handshake', describeLatencies(result.connections.handshakeMs)],
    ...reasons('not opened', result.connections.failedAttempts, result.advice),
    ...reasons('closed', result.connections.lost, result.advice),
    ...(result.storm ? [['storm', describeStorm(result)] as const] : []),
    ...(result.published ? [['published', describePublished(result, result.published)] as const] : []),
    ['delivered', describeDelivered(result)],
    ['latency', result.latencyMs ? describeLatencies(result.latencyMs) : 'no event arrived'],
    ['checked', describeFaults(result)],
    ...result.findings.map((finding) => ['', describeFinding(finding)] as const),
    [
      'others',
      `${count(result.others.events)} events from other publishers, ${count(result.others.messages)} messages`,
    ],
    ['this tool', describeTool(result)],
    ['result', describeVerdict(result)],
    ...(hint === undefined ? [] : [['', hint] as const]),
  ];
  const width = Math.max(...rows.map(([name]) => name.length));
  return rows.map(([name, text]) => `${name.padEnd(width)}  ${text}\n`).join('');
}

function describeConnections({ connections }: LoadResult): string {
  const { asked, opened, openAtEnd, seconds, perSecond, resumed, resets } = connections;
  const parts = [`${count(opened)} of ${count(asked)} opened in ${seconds.toFixed(1)} s (${count(perSecond)}/s)`];
  parts.push(`${count(openAtEnd)} open at the end`);
  if (resumed > 0) parts.push(`resumed ${count(resumed)} times`);
  if (resets > 0) parts.push(`${count(resets)} positions could not be served (reset)`);
  return parts.join(', ');
}

function reasons(name: string, counts: Readonly<Record<string, number>>, advice: Readonly<Record<string, string>>) {
  const most = Object.entries(counts).sort(([, a], [, b]) => b - a);
  return most.map(([reason, times], index): readonly [string, string] => {
    const hint = advice[reason];
    return [index === 0 ? name : '', `${count(times)} × ${reason}${hint ? ` (${hint})` : ''}`];
  });
}

function describeLatencies(latencies: Latencies): string {
  const { p50, p90, p99, 'p99.9': p999, max } = latencies;
  const quantiles = { p50, p90, p99, 'p99.9': p999, max };
  return Object.entries(quantiles)
    .map(([name, value]) => `${name} ${milliseconds(value)}`)
    .join('  ');
}

function describeStorm({ storm }: LoadResult): string {
  if (!storm) return '';
  const broken = `${count(storm.connections)} dropped at once`;
  if (storm.openSeconds === undefined) return `${broken}, and not all opened again`;
  const open = `${broken}, all open again after ${storm.openSeconds.toFixed(2)} s`;
  if (storm.caughtUpSeconds === undefined) return `${open}, and did not all catch up`;
  return `${open}, and caught up after ${storm.caughtUpSeconds.toFixed(2)} s`;
}

function describePublished({ seconds }: LoadResult, published: NonNullable<LoadResult['published']>): string {
  const { events, perSecond, topics, retries, unconfirmed, failure } = published;
  const parts = [`${count(events)} events in ${seconds.toFixed(1)} s (${perSecond.toFixed(1)}/s)`];
  parts.push(`${count(topics)} ${topics === 1 ? 'topic' : 'topics'}`);
  if (retries > 0) parts.push(`${count(retries)} retries`);
  if (unconfirmed > 0) parts.push(`${count(unconfirmed)} not confirmed`);
  if (failure) parts.push(`ended early: ${failure}`);
  return parts.join(', ');
}

function describeDelivered({ delivered, published }: LoadResult): string {
  const rates = `${count(delivered.perSecond)} events/s, ${bytes(delivered.bytesPerSecond)}/s`;
  return published ? `${count(delivered.events)} of ${count(delivered.expected)}, ${rates}` : rates;
}

function describeFaults({ lost, undelivered, reordered, duplicates, unasked, published }: LoadResult): string {
  const parts = published ? [`${count(lost)} lost`] : ['loss is unknown without --publish or --exchange'];
  parts.push(`${count(reordered)} out of order`, `${count(duplicates)} twice`);
  if (unasked > 0) parts.push(`${count(unasked)} from topics without a subscription`);
  if (undelivered > 0) parts.push(`${count(undelivered)} not delivered to connections that closed`);
  return parts.join(', ');
}

const FAULTS = {
  lost: 'did not get',
  reordered: 'got out of order',
  duplicate: 'got twice',
  unasked: 'had not subscribed to',
} as const;

function describeFinding({ fault, connection, number, position }: LoadResult['findings'][number]): string {
  const which = number === undefined ? 'an event from another publisher' : `event ${number}`;
  return `connection ${connection} ${FAULTS[fault]} ${which}${position === undefined ? '' : ` (${position})`}`;
}

function describeTool({ tool: { cores, loopBusy } }: LoadResult): string {
  const text = `${Math.round(cores * 100)}% of a core, its loop busy ${Math.round(loopBusy * 100)}% of the time`;
  if (loopBusy <= BUSY) return text;
  const advice =
    cores < loopBusy * STARVED
      ? 'another process uses the processor: run this tool on another machine'
      : 'use fewer connections or events, or run this tool on several machines';
  return `${text}: TOO BUSY, the latencies are partly its own; ${advice}`;
}

function describeVerdict({
  ok,
  connections,
  lost,
  undelivered,
  reordered,
  duplicates,
  unasked,
  published,
  latencyMs,
}: LoadResult): string {
  if (ok)
    return published || latencyMs
      ? 'all is well'
      : 'all connections are open; no event arrived, so nothing was checked';
  const faults = lost + undelivered + reordered + duplicates + unasked + connections.resets;
  const missing = connections.asked - connections.openAtEnd;
  const parts = [
    ...(faults > 0 ? ['not every connection got each event once, in order'] : []),
    ...(missing > 0 ? [`${count(missing)} connections are not open`] : []),
    ...(published?.failure ? ['publishing failed'] : []),
  ];
  return `NOT WELL: ${parts.join('; ')}`;
}
