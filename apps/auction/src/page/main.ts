import { createClient } from '@pregon/client';
import { ConnectionIndicator } from './connection.js';
import { find } from './dom.js';
import { LogPanel } from './log/panel.js';
import { Notices } from './notices.js';
import { startTabs } from './tabs.js';
import { UserPanel } from './users/panel.js';

// One client, so one connection; the table and the log are two subscriptions on it.
const client = createClient({ url: find(document, 'meta[name=pregon-gateway]', HTMLMetaElement).content });
client.on('error', (error) => console.error(error));

const notices = new Notices(find(document, '.notices', HTMLElement));
const indicator = new ConnectionIndicator(client);
new UserPanel(client, notices);
new LogPanel(client, {
  received: () => indicator.received(),
  reset: (reason) => {
    const why = reason === 'replaced' ? 'The log was replaced.' : 'This page was away for longer than events are kept.';
    notices.show(`${why} What is shown was fetched anew.`, { stays: true });
  },
});
startTabs();
