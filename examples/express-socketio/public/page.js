const socket = io();
const notices = io('/notices', { auth: { since: 'first', names: 'type' } });

const byId = (id) => document.getElementById(id);

function line(list, ...parts) {
  const item = document.createElement('li');
  item.append(...parts);
  byId(list).append(item);
}

function strong(text) {
  const element = document.createElement('strong');
  element.textContent = text;
  return element;
}

function showState() {
  byId('online').hidden = !socket.connected;
  byId('offline').hidden = socket.connected;
}
socket.on('connect', showState);
socket.on('disconnect', showState);

// Mirror: each keystroke sends the whole text, which replaces the text on the other pages.
byId('mirror').addEventListener('input', ({ target }) => socket.emit('escribir', target.value));
socket.on('escribir', (text) => {
  byId('mirror').value = text;
});

// Stored messages: all of them on connect, then one by one.
function showStored({ socketid, mensaje }) {
  line('stored', strong(`${socketid}: `), mensaje);
}
socket.on('mensajes', (messages) => {
  byId('stored').replaceChildren();
  messages.forEach(showStored);
});
socket.on('mensaje', showStored);
byId('store').addEventListener('submit', (event) => {
  event.preventDefault();
  socket.emit('mensaje', byId('stored-text').value);
  byId('stored-text').value = '';
});

// Passing messages: they are not stored, and the server acknowledges each.
socket.on('enviar-mensaje', ({ mensaje, fecha }) => {
  line('passing', strong(`${new Date(fecha).toLocaleTimeString()} `), mensaje);
});
byId('pass').addEventListener('submit', async (event) => {
  event.preventDefault();
  const name = event.submitter?.value ?? 'enviar-mensaje';
  const payload = { mensaje: byId('passing-text').value, id: crypto.randomUUID(), fecha: Date.now() };
  try {
    const answer = await socket.timeout(5_000).emitWithAck(name, payload);
    byId('answer').textContent = answer.error ?? `Received ${answer.id}`;
    // Not if the user has typed another message in the meantime.
    if (!answer.error && byId('passing-text').value === payload.mensaje) byId('passing-text').value = '';
  } catch {
    byId('answer').textContent = 'No answer. What you typed is kept: send it again.';
  }
});

// Notices: events of the log, from the first on; after a lost connection, the client resumes where it was.
notices.on('NoticeWasPosted', ({ data }) => line('notices', data.text));
// The position could not be served, so all notices are sent again: remove the old ones.
notices.on('reset', () => byId('notices').replaceChildren());
