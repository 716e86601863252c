import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { agreedOrder } from './agreed-order.js';
import { differingRows } from './collections.js';
import { collectSequences, examineJournal } from './journal-reader.js';
import { toTableRow } from './rows.js';
import type { CommittedEvent, TableName, Truth } from './truth.js';

const MOST_EVIDENCE = 12;

export interface Verdict {
  readonly followers: number;
  readonly received: number;
  readonly lost: number;
  readonly duplicate: number;
  readonly reordered: number;
  readonly differingRows: number;
  /** Delivered events that were not committed, or that the follower did not subscribe to. */
  readonly foreign: number;
  readonly evidence: readonly string[];
}

/** Compares all journals of the clients with the truth. */
export async function judge(folder: string, truth: Truth): Promise<Verdict> {
  const files = readdirSync(folder).filter((name) => name.endsWith('.journal'));
  const { events, reordered } = await requiredOrder(folder, files, truth);
  const sum = { received: 0, lost: 0, duplicate: 0, reordered: reordered.length, differingRows: 0, foreign: 0 };
  const evidence = reordered.slice(0, MOST_EVIDENCE);
  for (const file of files) {
    const { header, received, stayed, findings } = await examineJournal(join(folder, file), events);
    sum.received += received;
    sum.lost += findings.lost;
    sum.duplicate += findings.duplicate;
    sum.reordered += findings.reordered;
    sum.foreign += findings.foreign;
    sum.differingRows += findings.wrong;
    evidence.push(...findings.evidence);
    if (header.table === undefined || !stayed) continue;
    const rows = compareRows(folder, header.name, header.table, truth);
    sum.differingRows += rows.count;
    evidence.push(...rows.shown.map((text) => `${header.name}: ${text}`));
  }
  return { followers: files.length, ...sum, evidence };
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
