/**
 * The lines of a stream of UTF-8, without their ends, in groups: those that have come at once. An end is `\n` or `\r\n` and nothing
 * else, as JSON may hold U+2028 (which is why this is not node:readline).
 */
export async function* readLines(input: AsyncIterable<unknown>): AsyncGenerator<string[]> {
  const decoder = new TextDecoder();
  // Parts of a line whose end has not come: joined once, so that a long line costs no more than its length.
  let parts: string[] = [];
  for await (const chunk of input) {
    const text = chunk instanceof Uint8Array ? decoder.decode(chunk, { stream: true }) : String(chunk);
    const [first = '', ...others] = text.split('\n');
    parts.push(first);
    const rest = others.pop();
    if (rest === undefined) continue;
    yield [parts.join(''), ...others].map(withoutReturn);
    parts = [rest];
  }
  const last = parts.join('') + decoder.decode();
  if (last !== '') yield [withoutReturn(last)];
}

function withoutReturn(line: string): string {
  return line.endsWith('\r') ? line.slice(0, -1) : line;
}
