/** What can be wrong with the events of a follower. */
export const FINDING_KINDS = [
  'lost',
  'duplicate',
  'reordered',
  /** It was never committed. */
  'uncommitted',
  /** It does not match the topics of the follower, or its rights. */
  'notAllowed',
  /** It was committed after the token of the connection had expired. */
  'afterExpiry',
  /** It was committed after a revocation of the token. */
  'afterRevocation',
  /** It was committed after a block of the user. */
  'afterBan',
  /** A step of a collection that the follower itself reported. */
  'wrong',
  /** A connection or a subscription that was refused although its token was valid and allowed it. */
  'refused',
] as const;

export type FindingKind = (typeof FINDING_KINDS)[number];

/** The faults of one follower: how many of each kind, and the first few as evidence. */
export interface Findings extends Record<FindingKind, number> {
  readonly evidence: string[];
}

export function noFindings(): Findings {
  return {
    lost: 0,
    duplicate: 0,
    reordered: 0,
    uncommitted: 0,
    notAllowed: 0,
    afterExpiry: 0,
    afterRevocation: 0,
    afterBan: 0,
    wrong: 0,
    refused: 0,
    evidence: [],
  };
}
