import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { matchesTopic } from '@pregon/protocol';
import type { Beginning, JournalHeader } from '../clients/journal.js';
import { Examination, type Findings } from './examination.js';
import type { CommittedEvent } from './truth.js';

export interface Examined {
  readonly header: JournalHeader;
  readonly received: number;
  readonly findings: Findings;
  /** It stayed to the end of the run. */
  readonly stayed: boolean;
}

/** Examines what one follower wrote down. */
export async function examineJournal(file: string, committed: readonly CommittedEvent[]): Promise<Examined> {
  let header: JournalHeader | undefined;
  let examination: Examination | undefined;
  let received = 0;
  let stayed = true;
  for await (const line of createInterface({ input: createReadStream(file), crlfDelay: Number.POSITIVE_INFINITY })) {
    const [kind, time, ...fields] = line.split('\t');
    const atMs = Number(time);
    switch (kind) {
      case 'h':
        header = parseHeader(fields.join('\t'));
        examination = new Examination(header, committed, matcher(header.topics));
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
      case 'x':
        stayed = false;
        break;
    }
  }
  if (header === undefined || examination === undefined) throw new Error(`${file} has no header`);
  return { header, received, stayed, findings: examination.end(stayed) };
}

/** Whether an event is one that a follower asks for. */
export function matcher(topics: readonly string[]): (event: CommittedEvent) => boolean {
  return ({ topic }) => topics.some((pattern) => matchesTopic(pattern, topic));
}

function parseHeader(text: string): JournalHeader {
  const header: JournalHeader = JSON.parse(text);
  return header;
}

function parseBeginning(text: string): Beginning {
  const beginning: Beginning = JSON.parse(text);
  return beginning;
}
