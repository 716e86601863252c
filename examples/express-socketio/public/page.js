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

// Mirror: the whole text goes at each character, and replaces what is there.
byId('mirror').addEventListener('input', ({ target }) => socket.emit('escribir', target.value));
socket.on('escribir', (text) => {
  byId('mirror').value = text;
});

// Stored messages: all of them when it connects, one by one after that.
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

// Passing messages: nobody keeps them, and the server answers each.
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
    // Unless the next one was typed meanwhile.
    if (!answer.error && byId('passing-text').value === payload.mensaje) byId('passing-text').value = '';
  } catch {
    byId('answer').textContent = 'No answer. What you typed is kept: send it again.';
  }
});

// Notices: events of the log, from the first on; after a lost connection it goes on where it was.
notices.on('NoticeWasPosted', ({ data }) => line('notices', data.text));
// Another log stands in its place: what is shown is not in it.
notices.on('reset', () => byId('notices').replaceChildren());
