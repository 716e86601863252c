/** The lengths to which texts in a line are cut, tried in this order until the line fits. */
const TEXT_LENGTHS = [2_048, 512, 128, 32] as const;

/** A JSON line of at most `maxBytes` bytes. It stays an object; long texts and lists in it are cut. */
export function shortenJson(line: string, maxBytes: number): string {
  if (fits(line, maxBytes)) return line;
  for (const length of TEXT_LENGTHS) {
    const shorter = `${JSON.stringify(JSON.parse(line), (_key, value) => cut(value, length))}\n`;
    if (fits(shorter, maxBytes)) return shorter;
  }
  const { level, time, pid, worker, msg } = JSON.parse(line);
  return `${JSON.stringify({ level, time, pid, worker, msg: cut(msg, 128), tooLong: true })}\n`;
}

/** A text line of at most `maxBytes` bytes. */
export function shortenText(line: string, maxBytes: number): string {
  if (fits(line, maxBytes)) return line;
  // In streaming mode, the decoder leaves out a character that was cut in two.
  const kept = new TextDecoder().decode(Buffer.from(line).subarray(0, maxBytes - 8), { stream: true });
  return `${kept.trimEnd()}…\n`;
}

function cut(value: unknown, length: number): unknown {
  if (typeof value === 'string' && value.length > length) return `${value.slice(0, length)}…`;
  if (Array.isArray(value) && value.length > length / 8) return [...value.slice(0, length / 8), '…'];
  return value;
}

function fits(line: string, maxBytes: number): boolean {
  return line.length * 3 <= maxBytes || Buffer.byteLength(line) <= maxBytes;
}
