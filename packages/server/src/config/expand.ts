export type Variables = Readonly<Record<string, string | undefined>>;

const REFERENCE = /\$\$\{|\$\{([^}]*)\}?/g;
const SHAPE = /^([A-Za-z_]\w*)(?::-(.*))?$/s;

/**
 * Replaces `${NAME}` and `${NAME:-default}` by the value of the variable; the default also stands in where it is empty, as in a
 * shell. `$${` is a plain `${`.
 */
export function expandVariables(text: string, variables: Variables): { text: string; mistakes: string[] } {
  const mistakes: string[] = [];
  const expanded = text.replace(REFERENCE, (reference: string, inner: string | undefined) => {
    if (reference === '$${') return '${';
    const [, name, fallback] = reference.endsWith('}') ? (SHAPE.exec(inner ?? '') ?? []) : [];
    if (name === undefined) {
      mistakes.push(`"${reference}" is not a variable; write \${NAME} or \${NAME:-default}`);
      return reference;
    }
    const value = fallback === undefined ? variables[name] : variables[name] || fallback;
    if (value === undefined) mistakes.push(`the variable ${name} is not set, and there is no default`);
    return value ?? reference;
  });
  return { text: expanded, mistakes };
}
