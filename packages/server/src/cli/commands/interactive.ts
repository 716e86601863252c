import { createInterface, type Interface } from 'node:readline';
import { complain, write } from '../terminal/output.js';
import { visible } from '../terminal/terminal-text.js';
import { readLines } from './lines.js';

/** The source of the lines to send, and the place where received messages are shown. */
export interface Conversation {
  /** The typed lines; the iteration ends at Ctrl-D, Ctrl-C or the end of the input. */
  readonly lines: AsyncIterable<string>;
  /** Shows a received message after `: `; control characters in it are escaped, so they cannot control the terminal. */
  show(text: string): void;
  close(): void;
}

export function openConversation(): Conversation {
  return process.stdin.isTTY ? onTerminal() : onPipe();
}

/** A message that arrives during typing is printed above the line being typed. */
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
