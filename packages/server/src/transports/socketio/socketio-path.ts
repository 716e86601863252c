/**
 * Where Socket.IO is served on a port.
 *
 * @param path with or without slashes at its ends. @default '/socket.io'
 * @returns `/socket.io`
 */
export function socketIoPath(path = '/socket.io'): string {
  return `/${path.replaceAll(/^\/|\/$/g, '')}`;
}
