import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Part } from '../parts/part.js';
import { waitUntil } from '../parts/waiting.js';
import { type ClientsOrder, type ClientsReport, type ClientsSettings, isClientsReport } from './settings.js';

const MAIN = fileURLToPath(new URL('./main.js', import.meta.url));
const SETTLE_DEADLINE_MS = 10_000;

/** The process of all clients, which is never killed. */
export class ClientsPart extends Part {
  readonly #latest: { report?: ClientsReport };

  constructor(settings: ClientsSettings) {
    const latest: { report?: ClientsReport } = {};
    super({
      name: 'clients',
      command: () => ({ file: process.execPath, args: [MAIN, JSON.stringify(settings)] }),
      serves: async () => latest.report !== undefined,
      logFile: join(settings.folder, 'clients.log'),
      onMessage: (message) => {
        if (isClientsReport(message)) latest.report = message;
      },
    });
    this.#latest = latest;
  }

  get report(): ClientsReport {
    const { report } = this.#latest;
    if (report === undefined) throw new Error('the clients have not reported yet');
    return report;
  }

  /** From then on no client pauses, joins or leaves. */
  async settle(): Promise<void> {
    const order: ClientsOrder = { order: 'settle' };
    this.send(order);
    await waitUntil('the clients to settle', () => this.report.settled, SETTLE_DEADLINE_MS);
  }
}
