export type Variables = Readonly<Record<string, string | undefined>>;

const REFERENCE = /\$\$\{|\$\{([^}]*)\}?/g;
const SHAPE = /^([A-Za-z_]\w*)(?::-(.*))?$/s;

/**
 * Replaces `${NAME}` and `${NAME:-default}` by the value of the variable. As in a shell, the default also replaces an
 * empty value. `$${` is a plain `${`.
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
    if (value === undefined) mistakes.push(`the variable ${name} is not set and has no default`);
    return value ?? reference;
  });
  return { text: expanded, mistakes };
}
