import { Way } from './way.js';

const COUNT_MS = 1_000;

const byId = (id) => document.getElementById(id);
const viewer = Math.random().toString(36).slice(2);

const ways = {
  polling: new Way('polling', 'Polling'),
  'long-polling': new Way('long-polling', 'Long polling'),
  websocket: new Way('websocket', 'WebSocket'),
};

let sold = false;

/** Requests the state repeatedly, whether anything happened or not. Bids between two requests are missed. */
async function poll() {
  const response = await fetch(`/api/auction?viewer=${viewer}&way=polling`);
  const auction = await response.json();
  byId('item').textContent = auction.item;
  if (auction.highest) ways.polling.saw(auction.highest);
  if (!auction.sold) setTimeout(poll, auction.pollMs);
}

/** Receives all bids of this auction from the first; after a lost connection, it resumes where it was. */
function listen(way, transport) {
  const socket = io('/auction', {
    transports: [transport],
    query: { viewer, way },
    auth: { since: 'first', names: 'type' },
    // Each transport has its own connection.
    forceNew: true,
  });
  socket.on('BidWasPlaced', ({ data }) => ways[way].saw(data));
  return socket;
}

async function count() {
  const traffic = await (await fetch(`/api/traffic?viewer=${viewer}`)).json();
  for (const [way, { requests, bytes }] of Object.entries(traffic)) ways[way].cost(requests, bytes);
  // The last count includes the traffic that was on its way at the end of the auction.
  if (!sold) setTimeout(count, COUNT_MS);
}

function showState(name, text) {
  byId('state').dataset.state = name;
  byId('state').textContent = text;
}

listen('long-polling', 'polling');
const socket = listen('websocket', 'websocket');
socket.on('connect', () => showState('online', 'Online'));
socket.on('disconnect', () => {
  if (!sold) showState('offline', 'Offline');
});
socket.on('closing', ({ reconnect, reason }) => {
  if (reconnect) return;
  sold = true;
  showState('sold', `Closed: ${reason}`);
  byId('bid').querySelector('button').disabled = true;
});
socket.on('BidWasPlaced', ({ data }) => {
  byId('highest').textContent = `${data.amount} by ${data.bidder}`;
});

byId('bid').addEventListener('submit', async (event) => {
  event.preventDefault();
  const { bidder, amount } = event.target.elements;
  try {
    const bid = { bidder: bidder.value, amount: amount.valueAsNumber };
    const answer = await socket.timeout(5_000).emitWithAck('bid', bid);
    byId('refused').textContent = answer.error ? 'It could not be placed.' : (answer.refused ?? '');
    // Not if the user has typed another amount in the meantime.
    if (answer.accepted && amount.valueAsNumber === bid.amount) amount.value = '';
  } catch {
    byId('refused').textContent = 'No answer: look at the highest bid before you bid again.';
  }
});

poll();
count();
