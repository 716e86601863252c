import { canonicalPath } from './path.js';

/** Paths of a server that belong to one part of it. */
export interface Claim {
  /** The claim as shown in messages: `/events`, `/chat/:room`, `/socket.io/`. */
  readonly text: string;
  /** Segments of the canonical path; undefined means a parameter, which matches any segment. */
  readonly segments: readonly (string | undefined)[];
  /** Whether all paths below it are claimed as well. */
  readonly below: boolean;
}

/** @param path in any spelling */
export function claimPath(path: string): Claim {
  return { text: path, segments: canonicalPath(path).split('/'), below: false };
}

/** @param path in any spelling, without a slash at its end */
export function claimBelow(path: string): Claim {
  return { text: `${path}/`, segments: canonicalPath(path).split('/'), below: true };
}

/** @param path in canonical form */
export function isClaimed({ segments, below }: Claim, path: string): boolean {
  const asked = path.split('/');
  if (below ? asked.length < segments.length : asked.length !== segments.length) return false;
  return segments.every((segment, i) => segment === undefined || segment === asked[i]);
}

/** Whether a path can belong to both claims. */
export function overlap(one: Claim, other: Claim): boolean {
  const [shorter, longer] = one.segments.length <= other.segments.length ? [one, other] : [other, one];
  if (shorter.segments.length < longer.segments.length && !shorter.below) return false;
  return shorter.segments.every((segment, i) => {
    const beside = longer.segments[i];
    return segment === undefined || beside === undefined || segment === beside;
  });
}
