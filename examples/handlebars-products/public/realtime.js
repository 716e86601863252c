// The current rows come first, from one point of the log, then the later events one by one. After a lost connection,
// Socket.IO's own client resumes where it was.
const socket = io('/live/products', {
  auth: { snapshot: true, names: 'event' },
  // Use polling only if WebSocket is blocked.
  transports: ['websocket', 'polling'],
  tryAllTransports: true,
});

const body = document.querySelector('#products tbody');
const template = document.querySelector('#product');
const form = document.querySelector('#create');
const state = document.querySelector('#state');

function rowOf(id) {
  return body.querySelector(`tr[data-id="${id}"]`);
}

function add({ id, title, price }) {
  if (rowOf(id)) return;
  const row = template.content.firstElementChild.cloneNode(true);
  row.dataset.id = id;
  row.querySelector('.id').textContent = id;
  row.querySelector('.title').textContent = title;
  row.querySelector('.price').textContent = price.toFixed(2);
  row.querySelector('button').setAttribute('aria-label', `Delete ${title}`);
  body.append(row);
}

/** Adds missing rows and removes old ones. Existing rows stay as they are. */
function show(products) {
  const ids = new Set(products.map(({ id }) => String(id)));
  for (const row of [...body.rows]) if (!ids.has(row.dataset.id)) row.remove();
  products.forEach(add);
}

let arriving = [];
socket.on('snapshot', ({ rows, more }) => {
  arriving.push(...rows);
  if (!more) show(arriving.splice(0));
});

socket.on('event', ({ type, data }) => {
  if (type === 'ProductWasCreated') add(data);
  if (type === 'ProductWasDeleted') rowOf(data.id)?.remove();
});

function showState(name, text) {
  state.dataset.state = name;
  state.textContent = text;
}
socket.on('connect', () => showState('online', 'Online'));
socket.on('disconnect', () => {
  arriving = [];
  showState('offline', 'Offline');
});

function showErrors(errors) {
  for (const name of ['title', 'price']) {
    const input = form.elements.namedItem(name);
    document.getElementById(`${name}-error`).textContent = errors[name] ?? '';
    if (errors[name]) input.setAttribute('aria-invalid', 'true');
    else input.removeAttribute('aria-invalid');
  }
  form.querySelector('[aria-invalid]')?.focus();
}

/** Clears the form, except fields that the user has changed in the meantime. */
function clear(entered) {
  for (const [name, value] of Object.entries(entered)) {
    const input = form.elements.namedItem(name);
    if (input.value === value) input.value = '';
  }
}

form.addEventListener('submit', async (event) => {
  event.preventDefault();
  try {
    const entered = Object.fromEntries(new FormData(form));
    const answer = await socket.timeout(5_000).emitWithAck('create', entered);
    showErrors(answer.error ? { title: 'It could not be saved.' } : (answer.errors ?? {}));
    if (answer.product) clear(entered);
  } catch {
    showErrors({ title: 'No answer: look whether it is in the list, or send it again.' });
  }
});

body.addEventListener('click', ({ target }) => {
  const row = target.closest('button')?.closest('tr');
  if (!row || !confirm(`Delete ${row.querySelector('.title').textContent}?`)) return;
  socket.emit('delete', Number(row.dataset.id));
});
