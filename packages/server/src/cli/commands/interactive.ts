import { createInterface, type Interface } from 'node:readline';
import { complain, write } from '../terminal/output.js';
import { visible } from '../terminal/terminal-text.js';
import { readLines } from './lines.js';

/** Where lines to send come from and where what arrives is shown. */
export interface Conversation {
  /** The lines typed; it ends with Ctrl-D, Ctrl-C, or with the input. */
  readonly lines: AsyncIterable<string>;
  /** Shows what arrived, behind `: `; nothing that it holds steers a terminal. */
  show(text: string): void;
  close(): void;
}

export function openConversation(): Conversation {
  return process.stdin.isTTY ? onTerminal() : onPipe();
}

/** What arrives while somebody types goes above the line that is typed. */
function onTerminal(): Conversation {
  const terminal: Interface = createInterface({ input: process.stdin, output: process.stdout, prompt: '' });
  terminal.on('SIGINT', () => terminal.close());
  return {
    lines: terminal,
    show(text) {
      process.stdout.write(`\r\u001b[K: ${visible(text)}\n`);
      terminal.prompt(true);
    },
    close: () => terminal.close(),
  };
}

function onPipe(): Conversation {
  return {
    lines: single(readLines(process.stdin)),
    show(text) {
      write(`: ${visible(text)}\n`).catch((error: unknown) => complain(`pregon: ${error}`));
    },
    close: () => process.stdin.destroy(),
  };
}

async function* single(groups: AsyncIterable<string[]>): AsyncGenerator<string> {
  for await (const lines of groups) yield* lines;
}
