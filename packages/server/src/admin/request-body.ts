import type { IncomingMessage } from 'node:http';
import { HttpProblem } from './problem.js';

/** @throws HttpProblem 413 as soon as the body is known to be larger than `maxBytes` */
export async function readBody(request: IncomingMessage, maxBytes: number): Promise<Uint8Array> {
  // Close the connection, so that the rest of a body that is too large need not be read.
  const tooLarge = () => new HttpProblem(413, `the body must have at most ${maxBytes} bytes`, { connection: 'close' });
  if (Number(request.headers['content-length'] ?? 0) > maxBytes) throw tooLarge();
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    const bytes = Buffer.from(chunk);
    size += bytes.length;
    if (size > maxBytes) throw tooLarge();
    chunks.push(bytes);
  }
  return Buffer.concat(chunks);
}
