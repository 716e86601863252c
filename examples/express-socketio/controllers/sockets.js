const MAX_LENGTH = 2_000;
const MAX_STORED = 1_000;

/** What clients may emit, and who hears of it. */
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

    // To all, the sender too.
    socket.on('enviar-mensaje', (payload, answer) => {
      send(io, payload, answer);
    });

    // The sender gets the acknowledgement, and nothing else.
    socket.on('enviar-a-otros', (payload, answer) => {
      send(socket.broadcast, payload, answer);
    });
  });
}

function send(receivers, payload, answer) {
  // Who emits without a callback wants no answer; what is no function was sent by a program that is none of ours.
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

// So that `require('./controllers/sockets.js')(io)` is this function; Node.js 20.19 or later.
export { sockets as 'module.exports' };
