// @ts-check

/**
 * Writes each event as a line of JSON. All connections share this object, so that the bytes are encoded once for all.
 *
 * @type {import('pregon/transport').Format}
 */
const lines = {
  size: (event) => event.size + 1,
  write(event, target, at) {
    const end = event.write(target, at);
    return end + target.write('\n', end);
  },
};

/**
 * Newline-delimited JSON over HTTP: `curl -N -H 'Accept: application/x-ndjson' 'localhost:1234/events?since=first'`.
 *
 * @returns {import('pregon/transport').Transport}
 */
export function ndjson() {
  return {
    name: 'ndjson',
    offer: 'ask for application/x-ndjson',
    entrance(kernel) {
      /** @type {Set<import('node:http').ServerResponse>} */
      const open = new Set();
      return {
        takes: ({ headers }) => headers.accept?.includes('application/x-ndjson') === true,
        async request(request, response) {
          const admission = await kernel.admit(request);
          if (!('route' in admission)) return kernel.refuse(request, response, admission);
          response.writeHead(200, { 'Content-Type': 'application/x-ndjson', 'Cache-Control': 'no-store' });
          response.flushHeaders();
          open.add(response);
          const session = kernel.enter(admission, request, linkTo(response));
          response.on('drain', () => session.drained());
          response.on('error', (error) => session.failed(error));
          response.on('close', () => {
            open.delete(response);
            kernel.leave(session, 1000, '');
          });
          const { topics, since, snapshot } = admission.query;
          try {
            session.subscribe(0, topics, since, { snapshot });
          } catch (error) {
            session.refuse(0, error);
            session.close();
          }
        },
        destroy: () => open.forEach((response) => void response.destroy()),
      };
    },
  };
}

/**
 * The link that the gateway writes to. Nothing is buffered for a slow client: while its link is full, its cursor waits.
 *
 * @param {import('node:http').ServerResponse} response
 * @returns {import('pregon/transport').Link}
 */
function linkTo(response) {
  const isFull = () => response.writableEnded || response.writableNeedDrain;
  const write = (/** @type {object} */ frame) => {
    if (!response.writableEnded) response.write(`${JSON.stringify(frame)}\n`);
  };
  return {
    transport: 'ndjson',
    get full() {
      return isFull();
    },
    get bufferedBytes() {
      return response.writableLength;
    },
    get takenBytes() {
      return (response.socket?.bytesWritten ?? 0) - (response.socket?.writableLength ?? 0);
    },
    events: (_id, chunk) => void response.write(chunk.bytes(lines)),
    snapshot: (_id, rows, more) => void response.write(`{"op":"snapshot","rows":${rows},"more":${more}}\n`),
    control: (frame) => write(frame),
    message({ name, jsonData }) {
      if (isFull()) return false;
      write({ op: 'message', name, data: jsonData });
      return true;
    },
    // An empty line keeps the connection alive, and line readers ignore it. HTTP has no ping that is answered.
    ping() {
      if (!isFull()) response.write('\n');
      return false;
    },
    close(code) {
      write({ op: 'closing', ...code });
      response.end();
      // Otherwise a client that reads nothing would stay connected for ever, with its buffered bytes.
      setTimeout(() => response.destroy(), 2_000).unref();
    },
  };
}
