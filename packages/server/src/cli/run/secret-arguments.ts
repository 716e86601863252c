/** Flags of `pregon run` that may hold a secret. */
const SECRET_FLAGS = ['--http-token', '--http-token-file', '--log'];

/** A command line without its secrets, for processes that get them from their environment. */
export function withoutSecrets(line: readonly string[]): string[] {
  const kept: string[] = [];
  for (let at = 0; at < line.length; at++) {
    const argument = line[at] ?? '';
    // Its value is the next argument.
    if (SECRET_FLAGS.includes(argument)) at++;
    else if (!SECRET_FLAGS.some((flag) => argument.startsWith(`${flag}=`))) kept.push(argument);
  }
  return kept;
}
