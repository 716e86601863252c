import { matchesTopic } from '@pregon/protocol';
export function isContained(asked: string, allowed: readonly string[]): boolean {
  return allowed.some((pattern) => pattern === asked || matchesTopic(pattern, asked));
}
