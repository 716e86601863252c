/** Each power of two is divided into this many buckets, so the width of a bucket is at most 1/128 of its values. */
const BUCKETS_PER_OCTAVE = 128;
const BUCKET_BITS = Math.log2(BUCKETS_PER_OCTAVE);

/** Larger values count as the largest one: 2^37 microseconds are a day and a half. */
const MAX_BITS = 37;
const MAX_VALUE = 2 ** MAX_BITS - 1;

/** How far a quantile may exceed the true value, as a fraction of it. */
export const QUANTILE_ERROR = 1 / BUCKETS_PER_OCTAVE;

/**
 * Counts whole numbers from 0 in buckets that grow with the numbers, as HdrHistogram does. Memory is constant: 32 KiB
 * for any number of values. Values below 256 are exact. A larger quantile is at most {@link QUANTILE_ERROR} too large,
 * never too small. Minimum and maximum are exact.
 */
export class Histogram {
  readonly #counts = new Float64Array(bucketOf(MAX_VALUE) + 1);
  #count = 0;
  #min = Number.POSITIVE_INFINITY;
  #max = 0;

  get count(): number {
    return this.#count;
  }

  /** 0 if nothing was recorded. */
  get min(): number {
    return this.#count === 0 ? 0 : this.#min;
  }

  /** 0 if nothing was recorded. */
  get max(): number {
    return this.#max;
  }

  /** A fraction is truncated. A negative value, which occurs if a clock is set back, counts as 0. */
  record(value: number): void {
    const whole = value > 0 ? Math.min(Math.floor(value), MAX_VALUE) : 0;
    const bucket = bucketOf(whole);
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1;
    this.#count += 1;
    if (whole < this.#min) this.#min = whole;
    if (whole > this.#max) this.#max = whole;
  }

  /**
   * The value that at least the fraction `part` of all recorded values does not exceed; 0 if nothing was recorded.
   *
   * @param part from 0 (the least) to 1 (the largest)
   */
  quantile(part: number): number {
    const rank = Math.max(1, Math.ceil(part * this.#count));
    let seen = 0;
    for (const [bucket, count] of this.#counts.entries()) {
      seen += count;
      if (seen >= rank) return Math.min(lastOf(bucket), this.#max);
    }
    return this.#max;
  }
}

/** Each value below 256 has its own bucket. The bucket of a larger value is given by its highest bits. */
function bucketOf(value: number): number {
  if (value < 2 * BUCKETS_PER_OCTAVE) return value;
  const shift = highestBit(value) - BUCKET_BITS;
  return shift * BUCKETS_PER_OCTAVE + Math.floor(value / 2 ** shift);
}

/** The largest value in a bucket. */
function lastOf(bucket: number): number {
  if (bucket < 2 * BUCKETS_PER_OCTAVE) return bucket;
  const shift = Math.floor(bucket / BUCKETS_PER_OCTAVE) - 1;
  return (bucket - shift * BUCKETS_PER_OCTAVE + 1) * 2 ** shift - 1;
}

/** The index of the highest bit of a value that may have more than 32 bits. */
function highestBit(value: number): number {
  return value >= 2 ** 32 ? 63 - Math.clz32(Math.floor(value / 2 ** 32)) : 31 - Math.clz32(value);
}
