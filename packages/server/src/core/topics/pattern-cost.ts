import { hasWildcard, TopicIndex, WORDS_OF_A_TOPIC } from './topic-index.js';

/** The cost of holding a list of patterns, and of matching topics with it. */
export interface PatternCost {
  readonly patterns: number;
  /** In UTF-8. */
  readonly bytes: number;
  readonly words: number;
  /** About how many steps the most expensive topic of up to eight words takes. */
  readonly steps: number;
}

/** The cost of the pattern `#`. Nearly all connections share this object. */
const ALL: PatternCost = { patterns: 1, bytes: 1, words: 1, steps: 2 };

/** Up to this upper bound, the exact number of steps is not counted: counting would cost more than it saves. */
const FEW_STEPS = 100;

/** @param patterns in canonical form */
export function costOfPatterns(patterns: readonly string[]): PatternCost {
  if (patterns[0] === '#') return ALL;
  let bytes = 0;
  let words = 0;
  for (const pattern of patterns) {
    bytes += Buffer.byteLength(pattern);
    words += countWords(pattern);
  }
  return { patterns: patterns.length, bytes, words, steps: countSteps(patterns.filter(hasWildcard)) };
}

export function countWords(pattern: string): number {
  let words = 1;
  for (let at = pattern.indexOf('.'); at >= 0; at = pattern.indexOf('.', at + 1)) words += 1;
  return words;
}

function countSteps(patterns: readonly string[]): number {
  let most = 1;
  for (const shape of new Set(patterns.map(shapeOf))) most += stepsOfShape(shape);
  if (most <= FEW_STEPS) return most;
  const index = new TopicIndex<true>();
  for (const pattern of patterns) index.add(pattern, true);
  return index.reach;
}

/** Replaces each literal word of a pattern by `w`: long lists of patterns have few shapes. */
function shapeOf(pattern: string): string {
  return pattern.replace(/[^.*#]+/g, 'w');
}

/**
 * Before the first `#`, a topic reaches one literal word of a shape at each depth. After it, each word of the topic can
 * reach one.
 */
function stepsOfShape(shape: string): number {
  let reached = 1;
  let steps = 0;
  let open = false;
  for (const word of shape.split('.')) {
    if (word === '#') open = true;
    else if (word === 'w' && open) reached *= WORDS_OF_A_TOPIC;
    steps += reached;
  }
  return steps;
}
