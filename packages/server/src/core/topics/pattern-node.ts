/** The values of one pattern. Nearly always there is only one, and a set would take two hundred bytes. */
export class Values<T extends NonNullable<unknown>> {
  #one: T | undefined;
  #more: Set<T> | undefined;

  get isEmpty(): boolean {
    return this.#one === undefined;
  }

  add(value: T): void {
    if (this.#one === undefined) this.#one = value;
    else if (this.#one !== value) {
      this.#more ??= new Set();
      this.#more.add(value);
    }
  }

  delete(value: T): void {
    if (this.#one !== value) {
      this.#more?.delete(value);
    } else {
      const [next] = this.#more ?? [];
      this.#one = next;
      if (next !== undefined) this.#more?.delete(next);
    }
    if (this.#more?.size === 0) this.#more = undefined;
  }

  addTo(found: Set<T>): void {
    if (this.#one === undefined) return;
    found.add(this.#one);
    if (this.#more) for (const value of this.#more) found.add(value);
  }
}

/**
 * One word of a pattern, in the tree of all patterns. A client can create many nodes at no cost to itself, so a node is
 * small: about a hundred bytes. It has a map of its children only if there are two or more.
 */
export class PatternNode<T extends NonNullable<unknown>> {
  /** The word of this node: its key in the parent. */
  readonly word: string;
  star: PatternNode<T> | undefined;
  hash: PatternNode<T> | undefined;
  values: Values<T> | undefined;
  /** The only child with a literal word; undefined if there is no such child or more than one. */
  child: PatternNode<T> | undefined;
  /** The children with literal words if there are two or more. */
  children: Map<string, PatternNode<T>> | undefined;

  constructor(word: string) {
    this.word = word;
  }

  /** True if no pattern continues below this node. */
  get isLeaf(): boolean {
    return !this.child && !this.children && !this.star && !this.hash;
  }

  /** The child with a literal word. */
  get(word: string): PatternNode<T> | undefined {
    if (this.child) return this.child.word === word ? this.child : undefined;
    return this.children?.get(word);
  }

  /** The child with a word or wildcard; created if it is missing. */
  descend(word: string): PatternNode<T> {
    if (word === '*') {
      this.star ??= new PatternNode('*');
      return this.star;
    }
    if (word === '#') {
      this.hash ??= new PatternNode('#');
      return this.hash;
    }
    return this.get(word) ?? this.#insert(new PatternNode(word));
  }

  /** Removes a value below this node, and the nodes that become empty. @returns whether this node is empty now */
  prune(words: readonly string[], at: number, value: T): boolean {
    const word = words[at];
    if (word === undefined) {
      this.values?.delete(value);
      if (this.values?.isEmpty) this.values = undefined;
    } else if (word === '*') {
      if (this.star?.prune(words, at + 1, value)) this.star = undefined;
    } else if (word === '#') {
      if (this.hash?.prune(words, at + 1, value)) this.hash = undefined;
    } else if (this.get(word)?.prune(words, at + 1, value)) {
      this.#remove(word);
    }
    return this.isLeaf && !this.values;
  }

  #insert(node: PatternNode<T>): PatternNode<T> {
    if (this.children) {
      this.children.set(node.word, node);
    } else if (this.child) {
      this.children = new Map([
        [this.child.word, this.child],
        [node.word, node],
      ]);
      this.child = undefined;
    } else {
      this.child = node;
    }
    return node;
  }

  #remove(word: string): void {
    this.child = undefined;
    if (!this.children) return;
    this.children.delete(word);
    if (this.children.size > 1) return;
    const [last] = this.children.values();
    this.child = last;
    this.children = undefined;
  }
}
