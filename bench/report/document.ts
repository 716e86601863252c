import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Question } from '../question.js';
import { formatTable } from '../table.js';
import { renderChart } from './chart.js';
import { chartsOf, type Results } from './charts.js';
import { goalRows } from './goals.js';

export const DOCUMENTS = fileURLToPath(new URL('../../../docs/development/', import.meta.url));

const BEGIN = '<!-- measured: what stands between these marks is written by `npm run bench -- --write` -->';
const END = '<!-- /measured -->';

/**
 * Writes the results into `benchmarks.md`, between its marks, and the charts into `charts/` beside it. Earlier results
 * are replaced, because tables and charts of different runs must not be mixed.
 *
 * @param folder the folder of the documents
 * @throws Error if the marks are missing
 */
export function writeDocument(
  about: Readonly<Record<string, string>>,
  questions: Iterable<Question>,
  results: Results,
  folder = DOCUMENTS,
): void {
  const path = `${folder}benchmarks.md`;
  const text = readFileSync(path, 'utf8');
  const [from, to] = [text.indexOf(BEGIN), text.indexOf(END)];
  if (from === -1 || to < from)
    throw new Error(`${path} lacks the marks between which results are written: add ${BEGIN} and ${END}`);
  const asked = [...questions];
  const charts = writeCharts(results, `${folder}charts/`);
  const tables = asked.flatMap(({ name, title }) => [`### \`${name}\``, `${title}.`, formatTable(results[name] ?? [])]);
  const measured = [
    `## Measured on ${about['date']?.slice(0, 10)}`,
    Object.entries(about)
      .filter(([name]) => name !== 'date')
      .map(([name, value]) => `- ${name}: ${value}`)
      .join('\n'),
    '### Goals',
    formatTable(goalRows(asked, results)),
    ...(charts.length > 0 ? ['### Charts', ...charts] : []),
    ...tables,
  ].join('\n\n');
  writeFileSync(path, `${text.slice(0, from)}${BEGIN}\n\n${measured}\n\n${text.slice(to)}`);
}

/** @returns the Markdown of each chart */
function writeCharts(results: Results, folder: string): string[] {
  mkdirSync(folder, { recursive: true });
  for (const file of readdirSync(folder)) if (file.endsWith('.svg')) rmSync(folder + file);
  return chartsOf(results).map((chart) => {
    writeFileSync(`${folder}${chart.name}.svg`, renderChart(chart));
    return `![${chart.title}](charts/${chart.name}.svg)`;
  });
}
