import type { Row } from '../question.js';
import type { Bar, Chart } from './chart.js';

const CASE_TITLES: Readonly<Record<string, string>> = {
  paced: 'paced: 100 events a second',
  paced10: '200 events a second, with flushIntervalMs: 10',
  burst: 'burst: 5 events each 5 ms',
  saturated: 'saturated: as many as go through',
};

/** Rows by name of their question. */
export type Results = Readonly<Record<string, readonly Row[]>>;

/** The charts of the results. */
export function chartsOf(results: Results): Chart[] {
  const fanout = [...titled(results['fanout'] ?? []), ...titled(results['socketio'] ?? [], ', clients of Socket.IO')];
  const charts: Chart[] = [
    {
      name: 'fanout-cost',
      title: 'Fan-out of 200 bytes to 1,000 connections',
      axis: 'CPU time of the server for one delivery, µs, logarithmic: less is better',
      unit: 'µs',
      scale: 'log',
      groups: groupsOf(fanout, 'title', (row) => bar(row, 'server', 'µs')),
    },
    {
      name: 'fanout-rate',
      title: 'Deliveries for a second of CPU time',
      axis: 'deliveries per CPU-second: more is better',
      unit: '/s',
      scale: 'linear',
      groups: groupsOf(
        fanout.filter(({ case: name }) => name === 'burst' || name === 'saturated'),
        'title',
        (row) => bar(row, 'server', 'per CPU-second'),
      ),
    },
    {
      name: 'topics',
      title: 'The same deliveries by different topics, 1,000 connections',
      axis: 'CPU time of the gateway for one delivery, µs: less is better',
      unit: 'µs',
      scale: 'linear',
      groups: groupsOf(results['topics'] ?? [], 'each write', (row) => ({ ...bar(row, 'topics', 'µs'), ours: true })),
    },
    {
      name: 'memory',
      title: 'Memory of an idle connection',
      axis: 'resident bytes of the server for one connection: less is better',
      unit: 'bytes',
      scale: 'linear',
      groups: [{ label: '', bars: barsOf(results['memory'] ?? [], 'server', 'bytes per connection') }],
    },
    latencyChart('latency-commit', 'From COMMIT to the last client, 100 transactions a second', 'commit', results),
    latencyChart('latency-append', 'From the append, or the send, to the last client', 'append', results),
  ];
  return charts.filter(({ groups }) => groups.some(({ bars }) => bars.length > 0));
}

function titled(rows: readonly Row[], suffix = ''): Row[] {
  return rows.map((row) => ({ ...row, title: `${CASE_TITLES[String(row['case'])] ?? row['case']}${suffix}` }));
}

function latencyChart(name: string, title: string, which: string, { latency = [] }: Results): Chart {
  const rows = latency.filter((row) => row['case'] === which);
  const groups = ['p50 ms', 'p99 ms'].map((column) => ({
    label: column.replace(' ms', ''),
    bars: rows.flatMap((row): Bar[] => {
      const { label, value, ours } = bar(row, 'server', column);
      return Number.isFinite(value) ? [{ label: `${label}, ${row['connections']}`, value, ours }] : [];
    }),
  }));
  const axis = 'ms, logarithmic; behind the name, how many connections: less is better';
  return { name, title, axis, unit: 'ms', scale: 'log', groups };
}

function groupsOf(rows: readonly Row[], column: string, toBar: (row: Row) => Bar): Chart['groups'] {
  const labels = [...new Set(rows.map((row) => String(row[column])))];
  const groups = labels.map((label) => {
    const bars = rows.filter((row) => String(row[column]) === label).map(toBar);
    return { label, bars: bars.filter(({ value }) => Number.isFinite(value)) };
  });
  return groups.filter(({ bars }) => bars.length > 0);
}

function barsOf(rows: readonly Row[], label: string, value: string): Bar[] {
  return rows.map((row) => bar(row, label, value)).filter((one) => Number.isFinite(one.value));
}

function bar(row: Row, labelColumn: string, valueColumn: string): Bar {
  const label = String(row[labelColumn]);
  const peer = label === 'ws' || label === 'socket.io' || label.startsWith('bun');
  return { label, value: Number(row[valueColumn] ?? Number.NaN), ours: !peer };
}
