/** The most clients of one transport that may be pending at the same time: their sockets take about 10 MB. */
export const MOST_PENDING = 1_000;

/** How long a client may take to show its token, in milliseconds. */
export const PENDING_DEADLINE_MS = 5_000;

/** The largest frame of a pending client, in bytes: a token has 8 KB at most. */
export const MAX_PENDING_BYTES = 16_384;
