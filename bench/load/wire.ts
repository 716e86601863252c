/** Opcodes of RFC 6455 section 5.2, with FIN. */
export const TEXT = 0x81;
export const CLOSE = 0x88;
export const PING = 0x89;
const PONG = 0x8a;

/** An all-zero mask is valid, and leaves the bytes unchanged (RFC 6455 section 5.3). */
const MASK = Buffer.alloc(4);

/** A text frame as a client sends it, of at most 125 bytes. */
export function clientText(text: string): Buffer {
  const bytes = Buffer.from(text);
  if (bytes.length > 125) throw new RangeError('a message of a load client must have at most 125 bytes');
  return Buffer.concat([Buffer.from([TEXT, 0x80 | bytes.length]), MASK, bytes]);
}

export const PONG_FRAME = Buffer.concat([Buffer.from([PONG, 0x80]), MASK]);

/** A close frame with code 1000 and no reason. */
export const CLOSE_FRAME = Buffer.concat([Buffer.from([CLOSE, 0x82]), MASK, Buffer.from([0x03, 0xe8])]);

/** The headers that Chromium sends in addition to those of the protocol. */
const BROWSER_HEADERS: readonly string[] = [
  'Pragma: no-cache',
  'Cache-Control: no-cache',
  'User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36',
  'Origin: http://127.0.0.1:8080',
  'Accept-Encoding: gzip, deflate, br, zstd',
  'Accept-Language: en-GB,en-US;q=0.9,en;q=0.8',
  'Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits',
];

export interface UpgradeOptions {
  readonly protocol?: string | undefined;
  /** Whether the request has the headers of a browser. @default false */
  readonly browser?: boolean | undefined;
  /** Sent as `Authorization: Bearer`. */
  readonly token?: string | undefined;
}

/** An upgrade request (RFC 6455 section 4.1). */
export function upgradeRequest(port: number, path: string, { protocol, browser, token }: UpgradeOptions = {}): string {
  const lines = [
    `GET ${path} HTTP/1.1`,
    `Host: 127.0.0.1:${port}`,
    'Upgrade: websocket',
    'Connection: Upgrade',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    ...(browser ? BROWSER_HEADERS : []),
    ...(token === undefined ? [] : [`Authorization: Bearer ${token}`]),
    ...(protocol === undefined ? [] : [`Sec-WebSocket-Protocol: ${protocol}`]),
  ];
  return `${lines.join('\r\n')}\r\n\r\n`;
}

/** A request for an event stream, as a browser's EventSource sends it. */
export function streamRequest(port: number, path: string): string {
  return `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nAccept: text/event-stream\r\n\r\n`;
}
