const MAX_LENGTH = 2_000;
const MAX_STORED = 1_000;

/** Handles what clients may emit, and decides who receives it. */
export function sockets(io) {
  const stored = [];
  let mirrored = '';

  io.on('connection', (socket) => {
    socket.emit('mensajes', stored);
    socket.emit('escribir', mirrored);

    socket.on('mensaje', (mensaje) => {
      if (!isText(mensaje)) return;
      const message = { socketid: socket.id, mensaje };
      stored.push(message);
      if (stored.length > MAX_STORED) stored.shift();
      io.emit('mensaje', message);
    });

    socket.on('escribir', (text) => {
      if (typeof text !== 'string' || text.length > MAX_LENGTH) return;
      mirrored = text;
      socket.broadcast.emit('escribir', text);
    });

    // To all clients, including the sender.
    socket.on('enviar-mensaje', (payload, answer) => {
      send(io, payload, answer);
    });

    // To all clients except the sender, which only gets the acknowledgement.
    socket.on('enviar-a-otros', (payload, answer) => {
      send(socket.broadcast, payload, answer);
    });
  });
}

function send(receivers, payload, answer) {
  // A client that emits without a callback wants no acknowledgement. Another program may send any value here.
  const acknowledge = typeof answer === 'function' ? answer : () => {};
  if (!isPayload(payload)) return acknowledge({ error: 'a message is {mensaje, id, fecha}' });
  const { mensaje, id, fecha } = payload;
  receivers.emit('enviar-mensaje', { mensaje, id, fecha });
  acknowledge({ id, recibido: new Date().toISOString() });
}

function isPayload(payload) {
  return (
    typeof payload === 'object' &&
    payload !== null &&
    isText(payload.mensaje) &&
    isText(payload.id) &&
    Number.isFinite(payload.fecha)
  );
}

function isText(text) {
  return typeof text === 'string' && text !== '' && text.length <= MAX_LENGTH;
}

// Makes `require('./controllers/sockets.js')` return this function; needs Node.js 20.19 or later.
export { sockets as 'module.exports' };
