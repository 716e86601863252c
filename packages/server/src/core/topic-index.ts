interface Node<T> {
  readonly words: Map<string, Node<T>>;
  star: Node<T> | undefined;
  hash: Node<T> | undefined;
  readonly values: Set<T>;
}

/**
 * Finds what is registered under AMQP topic patterns that match a topic, in time that depends on the topic's words, not on how many
 * there are; for patterns with several `#`, at most on the words times the nodes.
 */
export class TopicIndex<T> {
  #root: Node<T> = createNode();

  add(pattern: string, value: T): void {
    let node = this.#root;
    for (const word of pattern.split('.')) node = descend(node, word);
    node.values.add(value);
  }

  delete(pattern: string, value: T): void {
    prune(this.#root, pattern.split('.'), 0, value);
  }

  /** Adds to `found` each value with a matching pattern, once. */
  collect(topic: string, found: Set<T>): void {
    const words = topic.split('.');
    collect(this.#root, { words, found, sought: undefined }, 0);
  }
}

function createNode<T>(): Node<T> {
  return { words: new Map(), star: undefined, hash: undefined, values: new Set() };
}

function descend<T>(node: Node<T>, word: string): Node<T> {
  if (word === '*') {
    node.star ??= createNode();
    return node.star;
  }
  if (word === '#') {
    node.hash ??= createNode();
    return node.hash;
  }
  let next = node.words.get(word);
  if (!next) {
    next = createNode();
    node.words.set(word, next);
  }
  return next;
}

interface Search<T> {
  readonly words: readonly string[];
  readonly found: Set<T>;
  /** From which word on what is below a `#` was sought already: again and again, it would take exponential time. */
  sought: Map<Node<T>, number> | undefined;
}

function collect<T>(node: Node<T>, search: Search<T>, at: number): void {
  if (node.hash) collectHash(node.hash, search, at);
  const word = search.words[at];
  if (word === undefined) {
    for (const value of node.values) search.found.add(value);
    return;
  }
  if (node.star) collect(node.star, search, at + 1);
  const next = node.words.get(word);
  if (next) collect(next, search, at + 1);
}

/** A `#` takes any number of words; where nothing comes after it, all that are left. */
function collectHash<T>(node: Node<T>, search: Search<T>, at: number): void {
  for (const value of node.values) search.found.add(value);
  if (node.words.size === 0 && !node.star && !node.hash) return;
  search.sought ??= new Map();
  const until = search.sought.get(node) ?? search.words.length + 1;
  if (at >= until) return;
  search.sought.set(node, at);
  for (let from = at; from < until; from++) collect(node, search, from);
}

/** Takes a value out, and the nodes that it leaves empty; true where this node is empty now. */
function prune<T>(node: Node<T>, words: readonly string[], at: number, value: T): boolean {
  const word = words[at];
  if (word === undefined) node.values.delete(value);
  else if (word === '*') {
    if (node.star && prune(node.star, words, at + 1, value)) node.star = undefined;
  } else if (word === '#') {
    if (node.hash && prune(node.hash, words, at + 1, value)) node.hash = undefined;
  } else {
    const next = node.words.get(word);
    if (next && prune(next, words, at + 1, value)) node.words.delete(word);
  }
  return node.values.size === 0 && node.words.size === 0 && node.star === undefined && node.hash === undefined;
}
