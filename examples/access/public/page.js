import { createClient } from '@pregon/client';
import { Pane } from './pane.js';

const NAMES = { ada: 'Ada', bo: 'Bo' };

const find = (selector) => document.querySelector(selector);
const session = new Pane(find('#session'));
const token = new Pane(find('#token'));
let stream;

/** A stock EventSource sends the cookie by itself. It returns after an outage, and gives up if it is refused. */
function openStream() {
  stream?.close();
  session.clear();
  stream = new EventSource('/by-session?since=first');
  stream.onopen = () => session.say('online', 'Connected');
  stream.onmessage = ({ data }) => session.add(JSON.parse(data));
  stream.onerror = () => {
    if (stream.readyState === EventSource.CLOSED) session.say('refused', 'Refused');
    else session.say('waiting', 'Reconnecting');
  };
}

async function send(method, path, body) {
  const response = await fetch(path, {
    method,
    headers: { 'Content-Type': 'application/json' },
    body: body && JSON.stringify(body),
  });
  return response.ok
    ? undefined
    : ((await response.json().catch(() => ({}))).error ?? 'The application does not answer.');
}

async function showWho() {
  const { name } = await (await fetch('/session')).json();
  find('#who').textContent = name ? `Signed in as ${NAMES[name]}` : 'Nobody is signed in';
  find('#out').hidden = !name;
  for (const button of document.querySelectorAll('[data-name]')) button.hidden = button.dataset.name === name;
}

/** The states of the client, as a page says them. */
const STATES = {
  online: ['online', 'Connected'],
  'catching-up': ['waiting', 'Catching up'],
  waiting: ['waiting', 'Reconnecting'],
  unauthorized: ['refused', 'Refused: sign in'],
  forbidden: ['refused', 'Refused'],
};

const client = createClient({
  url: '/by-token',
  token: async () => (await (await fetch('/token', { method: 'POST' })).json()).token,
});
client.on('state', ({ state }) => token.say(...(STATES[state] ?? ['waiting', 'Connecting'])));

let subscription;

/** Without topics: all that the token allows. */
function subscribe() {
  subscription?.close();
  token.clear();
  subscription = client.subscribe({ since: 'first', onEvent: (event) => token.add(event) });
}

/** After sign-in and sign-out, both ways begin anew: as another person, or as nobody. */
async function startAgain() {
  await showWho();
  openStream();
  subscription?.close();
  await client.authorize().catch(() => {});
  subscribe();
}

for (const button of document.querySelectorAll('[data-name]')) {
  button.addEventListener('click', async () => {
    const refused = await send('POST', '/session', { name: button.dataset.name });
    if (refused) find('#who').textContent = refused;
    else await startAgain();
  });
}

find('#out').addEventListener('click', async () => {
  await send('DELETE', '/session');
  await startAgain();
});

find('#write').addEventListener('submit', async (event) => {
  event.preventDefault();
  const { reader, text } = event.target.elements;
  const refused = await send('POST', '/notes', { reader: reader.value, text: text.value });
  find('#refused').textContent = refused ?? '';
  if (!refused) text.value = '';
});

find('#ban').addEventListener('submit', async (event) => {
  event.preventDefault();
  await send('POST', '/bans', { name: event.target.elements.name.value });
});

await showWho();
openStream();
subscribe();
