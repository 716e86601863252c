import { z } from 'zod';

export const text = z.string().min(1);

export const NO_DURATION = 'is not a duration; write 30s, 15m, 12h or 7d';

/** A variable expands to a string, so `${PORT}` is `"1234"` even for a key that takes a number. */
export const integer = (minimum: number, maximum = Number.MAX_SAFE_INTEGER) =>
  z.preprocess(
    (value) => (typeof value === 'string' && /^\d{1,15}$/.test(value) ? Number(value) : value),
    z.int().min(minimum).max(maximum),
  );

/** A number with a unit: `7d`, `512MB`. @param message what is wrong with a text that `parse` does not know */
export function quantity(parse: (text: string) => number | undefined, message: string) {
  return z
    .preprocess((value) => (typeof value === 'number' || typeof value === 'string' ? String(value) : ''), z.string())
    .transform((value, context) => {
      const parsed = parse(value);
      if (parsed !== undefined) return parsed;
      context.addIssue({ code: 'custom', message });
      return z.NEVER;
    });
}
