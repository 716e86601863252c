import type { PatternNode } from './pattern-node.js';

/**
 * Finds the patterns of a tree that match one topic. Each node is visited at most once: above the first `#` of a pattern a node
 * stands for one place in the topic, and below it for the set of all places that lead to it. So the cost is bounded by the number of
 * nodes, however the wildcards are arranged.
 */
export class TopicSearch<T extends NonNullable<unknown>> {
  readonly #words: readonly string[];
  readonly #found: Set<T>;
  /** Where each word stands in the topic; made when it is first needed. */
  #places: Map<string, number[]> | undefined;
  /** For each depth below a `#`: which places in the topic lead there, one byte for each place. */
  readonly #rows: Uint8Array[] = [];
  /** How many nodes were visited. */
  visits = 0;

  constructor(topic: string, found: Set<T>) {
    this.#words = topic.split('.');
    this.#found = found;
  }

  /** Searches below a node that the first `at` words of the topic lead to. */
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

  /** A `#` takes any number of words; if nothing comes after it, all that are left. */
  #visitHash(node: PatternNode<T>, at: number): void {
    if (node.isLeaf) {
      this.visits += 1;
      node.values?.addTo(this.#found);
      return;
    }
    fillFrom(this.#row(0), at);
    this.#spread(node, 0);
  }

  /** Searches below a node that several places lead to: those of the row of this depth, of which there is at least one. */
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

  /** There may be thousands of children, or fewer than the topic has words. */
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

// Loops, because a row is short: what typed arrays have built in costs ten times as much for a few bytes.

function clear(row: Uint8Array): void {
  for (let place = 0; place < row.length; place++) row[place] = 0;
}

/** All places from `first` on. */
function fillFrom(row: Uint8Array, first: number): void {
  for (let place = 0; place < row.length; place++) row[place] = place < first ? 0 : 1;
}

/** One word further from each place; false if no place has a word left. */
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
