/** How long a part may take to answer a probe before it counts as not serving. */
const PATIENCE_MS = 1_000;

/** Whether an HTTP server answers with this status. */
export async function answers(url: string, status: number): Promise<boolean> {
  const response = await fetch(url, { signal: AbortSignal.timeout(PATIENCE_MS) });
  await response.body?.cancel();
  return response.status === status;
}
