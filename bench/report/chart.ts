import { formatCell } from '../table.js';

export interface Bar {
  readonly label: string;
  readonly value: number;
  /** Whether the bar is one of Pregon's, which are highlighted. */
  readonly ours: boolean;
}

/** A bar chart with groups, drawn as a self-contained SVG. */
export interface Chart {
  /** The file name without extension. */
  readonly name: string;
  readonly title: string;
  /** The label of the axis: what it measures, the unit, and which direction is better. */
  readonly axis: string;
  /** The unit after each value. */
  readonly unit: string;
  readonly scale: 'linear' | 'log';
  readonly groups: readonly { readonly label: string; readonly bars: readonly Bar[] }[];
}

const WIDTH = 760;
const LEFT = 230;
/** Room for the longest value after the longest bar. */
const RIGHT = 120;
const PLOT = WIDTH - LEFT - RIGHT;
const TOP = 52;
const ROW = 24;
const BAR = 15;
const GROUP_GAP = 12;
const BOTTOM = 64;

/** Dark if the reader's system is dark. It has its own background, because the page may have the other scheme. */
const STYLE = `
  text { font: 13px system-ui, -apple-system, "Segoe UI", sans-serif; fill: #1f2328; }
  .title { font-size: 16px; font-weight: 600; }
  .group { font-weight: 600; }
  /* Keeps grid lines from crossing the text. */
  .value { paint-order: stroke; stroke: #ffffff; stroke-width: 4px; }
  .axis { font-size: 12px; fill: #59636e; }
  .ground { fill: #ffffff; stroke: #d1d9e0; }
  .grid { stroke: #d1d9e0; }
  .ours { fill: #0969da; }
  .peer { fill: #818b98; }
  @media (prefers-color-scheme: dark) {
    text { fill: #f0f6fc; }
    .axis { fill: #9198a1; }
    .ground { fill: #0d1117; stroke: #3d444d; }
    .grid { stroke: #3d444d; }
    .value { stroke: #0d1117; }
    .ours { fill: #4493f8; }
    .peer { fill: #7d8590; }
  }
`;

interface Axis {
  readonly ticks: readonly number[];
  /** The distance of a value from the left end of the axis, in pixels. */
  at(value: number): number;
}

export function renderChart({ title, axis: axisTitle, unit, scale, groups }: Chart): string {
  const values = groups.flatMap(({ bars }) => bars.map(({ value }) => value));
  const axis = scale === 'log' ? logAxis(values) : linearAxis(values);
  const parts: string[] = [];
  let y = TOP;
  for (const group of groups) {
    if (group.label !== '') {
      parts.push(text(16, y + BAR, group.label, 'class="group"'));
      y += ROW;
    }
    for (const { label, value, ours } of group.bars) {
      const width = Math.max(1, axis.at(value));
      const box = `x="${LEFT}" y="${y + 2}" width="${width.toFixed(1)}" height="${BAR}" rx="2"`;
      parts.push(text(LEFT - 10, y + BAR - 1, label, 'text-anchor="end"'));
      parts.push(`<rect class="${ours ? 'ours' : 'peer'}" ${box}/>`);
      parts.push(text(LEFT + width + 8, y + BAR - 1, `${formatCell(value)} ${unit}`, 'class="value"'));
      y += ROW;
    }
    y += GROUP_GAP;
  }
  const height = y + BOTTOM - GROUP_GAP;
  const grid = axis.ticks.flatMap((tick) => {
    const x = (LEFT + axis.at(tick)).toFixed(1);
    const line = `<line class="grid" x1="${x}" y1="${TOP - 6}" x2="${x}" y2="${y}"/>`;
    return [line, text(Number(x), y + 17, formatTick(tick), 'class="axis" text-anchor="middle"')];
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img">`,
    `<title>${escaped(title)}</title>`,
    `<style>${STYLE}</style>`,
    `<rect class="ground" x="0.5" y="0.5" width="${WIDTH - 1}" height="${height - 1}" rx="6"/>`,
    text(16, 28, title, 'class="title"'),
    ...grid,
    ...parts,
    text(LEFT, height - 14, axisTitle, 'class="axis"'),
    '</svg>',
    '',
  ].join('\n');
}

/** Starts at the power of ten below the least value, so that its bar is visible too. */
function logAxis(values: readonly number[]): Axis {
  const first = Math.ceil(Math.log10(Math.min(...values))) - 1;
  const last = Math.max(first + 1, Math.log10(Math.max(...values)));
  const ticks = Array.from({ length: Math.floor(last) - first + 1 }, (_, index) => 10 ** (first + index));
  return { ticks, at: (value) => ((Math.log10(value) - first) / (last - first)) * PLOT };
}

/** Has four to eight round ticks. */
function linearAxis(values: readonly number[]): Axis {
  const most = Math.max(...values);
  const power = 10 ** Math.floor(Math.log10(most));
  const step = [0.2, 0.5, 1, 2].map((part) => part * power).find((one) => most / one <= 8) ?? power;
  const ticks = Array.from({ length: Math.floor(most / step) + 1 }, (_, index) => index * step);
  return { ticks, at: (value) => (value / most) * PLOT };
}

function formatTick(value: number): string {
  if (value >= 1e6) return `${Number((value / 1e6).toPrecision(3))}M`;
  if (value >= 1e3) return `${Number((value / 1e3).toPrecision(3))}k`;
  return String(Number(value.toPrecision(3)));
}

function text(x: number, y: number, content: string, attributes = ''): string {
  return `<text x="${x}" y="${y}" ${attributes}>${escaped(content)}</text>`;
}

function escaped(content: string): string {
  return content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
