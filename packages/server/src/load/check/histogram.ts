/** Each power of two is cut into this many buckets, so a bucket is at most 1/128 of its values wide. */
const BUCKETS_PER_OCTAVE = 128;
const BUCKET_BITS = Math.log2(BUCKETS_PER_OCTAVE);

/** The largest value that is told from larger ones: 2^37 microseconds are a day and a half. */
const MAX_BITS = 37;
const MAX_VALUE = 2 ** MAX_BITS - 1;

/** How far a quantile may lie above the value that it stands for, as a part of it. */
export const QUANTILE_ERROR = 1 / BUCKETS_PER_OCTAVE;

/**
 * Counts whole numbers from 0 on in buckets that grow with the numbers (as HdrHistogram does), so that its memory is the same however
 * many there are: 32 KiB. Values below 256 are exact; a quantile above is at most {@link QUANTILE_ERROR} too large, never too small. The
 * least and the largest value are exact.
 */
export class Histogram {
  readonly #counts = new Float64Array(bucketOf(MAX_VALUE) + 1);
  #count = 0;
  #min = Number.POSITIVE_INFINITY;
  #max = 0;

  get count(): number {
    return this.#count;
  }

  /** 0 where nothing was recorded. */
  get min(): number {
    return this.#count === 0 ? 0 : this.#min;
  }

  /** 0 where nothing was recorded. */
  get max(): number {
    return this.#max;
  }

  /** A number below 0 counts as 0, which a clock that was set back makes; a part of a number is cut off. */
  record(value: number): void {
    const whole = value > 0 ? Math.min(Math.floor(value), MAX_VALUE) : 0;
    const bucket = bucketOf(whole);
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1;
    this.#count += 1;
    if (whole < this.#min) this.#min = whole;
    if (whole > this.#max) this.#max = whole;
  }

  /**
   * The value that at least `part` of all recorded ones do not exceed; 0 where nothing was recorded.
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

/** Values below two octaves of buckets have one each; above, the highest bits of a value name its bucket. */
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

/** Of a value that may have more than 32 bits. */
function highestBit(value: number): number {
  return value >= 2 ** 32 ? 63 - Math.clz32(Math.floor(value / 2 ** 32)) : 31 - Math.clz32(value);
}
