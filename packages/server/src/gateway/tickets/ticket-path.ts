/** The path at which clients of a route get tickets. */
export function ticketPath(routePath: string): string {
  return `${routePath.replace(/\/$/, '')}/tickets`;
}
