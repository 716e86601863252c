/**
 * What the operator of the gateway can do so that pages of an origin are admitted. An invalid origin, which only a client other than a
 * browser can send, is not suggested as a setting.
 *
 * @param host the host in the request's URL, by which the client addressed the gateway
 */
export function originRemedy(
  origin: string | undefined,
  host: string | undefined,
  allowedOrigins: readonly string[] | undefined,
): string {
  if (origin === 'null' || origin === 'file://') {
    return `serve the page by HTTP, or allow the origin ${JSON.stringify(origin)}, which is that of sandboxed frames of any site`;
  }
  const wanted = origin ?? `http://${host}`;
  if (!URL.canParse(wanted) || new URL(wanted).origin !== wanted) {
    return 'browsers send no such origin, so there is nothing to allow';
  }
  const alone = allowedOrigins ? '' : '; pages of this machine then need to be named as well';
  return `to admit it, run the gateway with --allowed-origin=${wanted}, or add '${wanted}' to allowedOrigins (in pregon.yml: under websocket)${alone}`;
}
