import type { PatternNode } from './pattern-node.js';

/**
 * Finds the patterns of a tree that match one topic. Each node is visited at most once. Above the first `#` of a
 * pattern, a node stands for one place in the topic; below it, for the set of all places that lead to the node. So the
 * number of nodes limits the cost, however the wildcards are arranged.
 */
export class TopicSearch<T extends NonNullable<unknown>> {
  readonly #words: readonly string[];
  readonly #found: Set<T>;
  /** The places of each word in the topic; computed on first use. */
  #places: Map<string, number[]> | undefined;
  /** For each depth below a `#`, the places in the topic that lead there: one byte for each place. */
  readonly #rows: Uint8Array[] = [];
  /** The number of visited nodes. */
  visits = 0;

  constructor(topic: string, found: Set<T>) {
    this.#words = topic.split('.');
    this.#found = found;
  }

  /** Searches below a node that is reached by the first `at` words of the topic. */
  visit(node: PatternNode<T>, at: number): void {
    this.visits += 1;
    if (node.hash) this.#visitHash(node.hash, at);
    const word = this.#words[at];
    if (word === undefined) {
      node.values?.addTo(this.#found);
      return;
    }
    if (node.star) this.visit(node.star, at + 1);
    const next = node.get(word);
    if (next) this.visit(next, at + 1);
  }

  /** A `#` matches any number of words. A `#` at the end of a pattern matches all remaining words. */
  #visitHash(node: PatternNode<T>, at: number): void {
    if (node.isLeaf) {
      this.visits += 1;
      node.values?.addTo(this.#found);
      return;
    }
    fillFrom(this.#row(0), at);
    this.#spread(node, 0);
  }

  /** Searches below a node that is reached from the places in the row of this depth. The row has at least one place. */
  #spread(node: PatternNode<T>, depth: number): void {
    this.visits += 1 + (this.#words.length >> 4);
    const row = this.#row(depth);
    if (row[this.#words.length] === 1) node.values?.addTo(this.#found);
    if (node.isLeaf) return;
    if (node.hash) {
      fillFrom(this.#row(depth + 1), row.indexOf(1));
      this.#spread(node.hash, depth + 1);
    }
    if (node.star && shift(row, this.#row(depth + 1))) this.#spread(node.star, depth + 1);
    if (node.child) this.#spreadChild(node.child, row, depth);
    else if (node.children) this.#spreadChildren(node.children, row, depth);
  }

  /**
   * Iterates over the children or over the words of the topic, whichever are fewer: a node can have thousands of
   * children.
   */
  #spreadChildren(children: ReadonlyMap<string, PatternNode<T>>, row: Uint8Array, depth: number): void {
    const places = this.#placesOfWords();
    if (children.size < places.size) {
      for (const child of children.values()) this.#spreadChild(child, row, depth);
      return;
    }
    for (const word of places.keys()) {
      const child = children.get(word);
      if (child) this.#spreadChild(child, row, depth);
    }
  }

  #spreadChild(child: PatternNode<T>, row: Uint8Array, depth: number): void {
    const places = this.#placesOfWords().get(child.word);
    if (!places) return;
    const below = this.#row(depth + 1);
    let some = false;
    for (const place of places) {
      if (row[place] !== 1) continue;
      if (!some) clear(below);
      below[place + 1] = 1;
      some = true;
    }
    if (some) this.#spread(child, depth + 1);
  }

  #row(depth: number): Uint8Array {
    const made = this.#rows[depth];
    if (made) return made;
    const row = new Uint8Array(this.#words.length + 1);
    this.#rows[depth] = row;
    return row;
  }

  #placesOfWords(): ReadonlyMap<string, readonly number[]> {
    if (this.#places) return this.#places;
    const places = new Map<string, number[]>();
    for (const [place, word] of this.#words.entries()) {
      const known = places.get(word);
      if (known) known.push(place);
      else places.set(word, [place]);
    }
    this.#places = places;
    return places;
  }
}

// Plain loops, because a row is short: the built-in methods of typed arrays cost ten times as much for a few bytes.

function clear(row: Uint8Array): void {
  for (let place = 0; place < row.length; place++) row[place] = 0;
}

/** Sets all places from `first` on, and clears the places before it. */
function fillFrom(row: Uint8Array, first: number): void {
  for (let place = 0; place < row.length; place++) row[place] = place < first ? 0 : 1;
}

/** Moves each place one word further. @returns false if no place has a word left */
function shift(from: Uint8Array, to: Uint8Array): boolean {
  let some = 0;
  to[0] = 0;
  for (let place = 1; place < to.length; place++) {
    const led = from[place - 1] ?? 0;
    to[place] = led;
    some |= led;
  }
  return some === 1;
}
