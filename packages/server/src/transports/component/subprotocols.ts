/** What may be in a name: a token of RFC 9110 section 5.6.2. */
const TOKEN = /^[!#$%&'*+\-.^_`|~\w]+$/;

/** @throws TypeError where one can be no subprotocol's name, or is there twice */
export function assertSubprotocols(names: readonly string[]): void {
  const wrong = names.find((name, i) => !TOKEN.test(name) || names.indexOf(name) !== i);
  if (wrong !== undefined) {
    throw new TypeError(`subprotocols: ${JSON.stringify(wrong)} is no subprotocol's name, or is there twice`);
  }
}

/** The first of ours that the client offers, else none: RFC 6455 section 4.2.2 leaves it to the client whether to go on without. */
export function chooseSubprotocol(ours: readonly string[], offered: ReadonlySet<string>): string | false {
  return ours.find((name) => offered.has(name)) ?? false;
}
