import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { agreedOrder } from './agreed-order.js';
import { differingRows } from './collections.js';
import { CommittedEvents } from './committed-events.js';
import { FINDING_KINDS, type Findings, noFindings } from './findings.js';
import { collectSequences, examineJournal } from './journal-reader.js';
import { toTableRow } from './rows.js';
import type { CommittedEvent, TableName, Truth } from './truth.js';

const MOST_EVIDENCE = 12;

/** The faults of all followers together. */
export interface Verdict extends Readonly<Findings> {
  readonly followers: number;
  readonly received: number;
  /** Rows of collections that differ from their table, and wrong steps on the way to them. */
  readonly differingRows: number;
}

/** Compares all journals of the clients with the truth. */
export async function judge(folder: string, truth: Truth): Promise<Verdict> {
  const files = readdirSync(folder).filter((name) => name.endsWith('.journal'));
  const { events, reordered } = await requiredOrder(folder, files, truth);
  const committed = new CommittedEvents(events);
  const sum = { ...noFindings(), reordered: reordered.length };
  let total = 0;
  let differing = 0;
  const evidence = reordered.slice(0, MOST_EVIDENCE);
  for (const file of files) {
    const { header, received, stayed, findings } = await examineJournal(
      join(folder, file),
      committed,
      truth.revocations,
    );
    total += received;
    for (const kind of FINDING_KINDS) sum[kind] += findings[kind];
    evidence.push(...findings.evidence);
    if (header.table === undefined || !stayed) continue;
    const rows = compareRows(folder, header.name, header.table, truth);
    differing += rows.count;
    evidence.push(...rows.shown.map((text) => `${header.name}: ${text}`));
  }
  return { ...sum, followers: files.length, received: total, differingRows: sum.wrong + differing, evidence };
}

/** The events that every follower must have received, in order, and the faults of that order itself. */
async function requiredOrder(
  folder: string,
  files: readonly string[],
  { events, order }: Truth,
): Promise<{ events: readonly CommittedEvent[]; reordered: string[] }> {
  if (order === 'commits') return { events, reordered: [] };
  const sequences = new Map<string, string>();
  const contradictions: string[] = [];
  for (const file of files) contradictions.push(...(await collectSequences(join(folder, file), sequences)));
  const agreed = agreedOrder(events, sequences);
  return { events: agreed.events, reordered: [...contradictions, ...agreed.reordered] };
}

function compareRows(folder: string, name: string, table: TableName, truth: Truth): { count: number; shown: string[] } {
  const held: unknown = JSON.parse(readFileSync(join(folder, `${name}.rows.json`), 'utf8'));
  if (!Array.isArray(held)) throw new TypeError(`${name}.rows.json holds no rows`);
  return differingRows(truth.tables[table], held.map(toTableRow));
}
