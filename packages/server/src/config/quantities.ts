const DURATION_UNITS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

const BYTE_UNITS = {
  '': 1,
  B: 1,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  KIB: 2 ** 10,
  MIB: 2 ** 20,
  GIB: 2 ** 30,
  TIB: 2 ** 40,
} as const;

/** Milliseconds in `500ms`, `30s`, `15m`, `12h` or `7d`; undefined if the text is not a duration above 0. */
export function parseDuration(text: string): number | undefined {
  return parseQuantity(text, DURATION_UNITS);
}

/**
 * Bytes in `512MB` (a million each), `512MiB` (2^20 each) or a bare number; undefined if the text is not a size above
 * 0.
 */
export function parseBytes(text: string): number | undefined {
  return parseQuantity(text.toUpperCase(), BYTE_UNITS);
}

function parseQuantity(text: string, units: Readonly<Record<string, number>>): number | undefined {
  const match = /^(\d+(?:\.\d+)?) ?([a-z]*)$/i.exec(text.trim());
  const [, digits = '', unit = ''] = match ?? [];
  if (!match || !Object.hasOwn(units, unit)) return undefined;
  const value = Math.round(Number(digits) * (units[unit] ?? 0));
  return Number.isSafeInteger(value) && value > 0 ? value : undefined;
}
