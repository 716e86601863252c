import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import type { Beginning, JournalHeader } from '../clients/journal.js';
import type { CommittedEvents } from './committed-events.js';
import { Examination } from './examination.js';
import type { Findings } from './findings.js';
import type { CommittedRevocation } from './truth.js';

export interface Examined {
  readonly header: JournalHeader;
  readonly received: number;
  readonly findings: Findings;
  /** Whether it stayed to the end of the run, and was not blocked. */
  readonly stayed: boolean;
}

/** Examines the journal of one follower. */
export async function examineJournal(
  file: string,
  committed: CommittedEvents,
  revocations: readonly CommittedRevocation[],
): Promise<Examined> {
  let header: JournalHeader | undefined;
  let examination: Examination | undefined;
  let received = 0;
  let stayed = true;
  for await (const line of linesOf(file)) {
    const [kind, time, ...fields] = line.split('\t');
    const atMs = Number(time);
    switch (kind) {
      case 'h':
        header = parseHeader(fields.join('\t'));
        examination = new Examination(header, committed, revocations);
        break;
      case 'a': {
        const [issuedAtMs, expiresAtMs] = fields;
        examination?.token({ issuedAtMs: Number(issuedAtMs), expiresAtMs: Number(expiresAtMs) });
        break;
      }
      case 't':
        examination?.topics(parseTopics(fields.join('\t')));
        break;
      case 'e': {
        const [connection, position = '', sequence = '', id = ''] = fields;
        received += 1;
        examination?.received({ atMs, connection: Number(connection), position, sequence, id });
        break;
      }
      case 'r':
        examination?.reset(parseBeginning(fields.join('\t')));
        break;
      case 'w':
        examination?.wrong(atMs, fields.join(' '));
        break;
      case 'v':
        examination?.revoked(atMs, fields.join(' '));
        break;
      case 'f':
        examination?.refused(atMs, fields.join(' '));
        break;
      case 'x':
        stayed = false;
        break;
    }
  }
  if (header === undefined || examination === undefined) throw new Error(`${file} has no header`);
  const { user } = header;
  if (revocations.some((revocation) => revocation.kind === 'block' && revocation.user === user)) stayed = false;
  return { header, received, stayed, findings: examination.end(stayed) };
}

/**
 * Records the sequence that each event was delivered with.
 *
 * @returns events that came with another sequence than before
 */
export async function collectSequences(file: string, sequences: Map<string, string>): Promise<string[]> {
  const contradictions: string[] = [];
  for await (const line of linesOf(file)) {
    const [kind, , , , sequence = '', id = ''] = line.split('\t');
    if (kind !== 'e') continue;
    const known = sequences.get(id) ?? sequence;
    if (known !== sequence) contradictions.push(`${id} came with the sequences ${known} and ${sequence}`);
    sequences.set(id, known);
  }
  return contradictions;
}

function linesOf(file: string): AsyncIterable<string> {
  return createInterface({ input: createReadStream(file), crlfDelay: Number.POSITIVE_INFINITY });
}

function parseHeader(text: string): JournalHeader {
  const header: JournalHeader = JSON.parse(text);
  return header;
}

function parseTopics(text: string): string[] {
  const topics: string[] = JSON.parse(text);
  return topics;
}

function parseBeginning(text: string): Beginning {
  const beginning: Beginning = JSON.parse(text);
  return beginning;
}
