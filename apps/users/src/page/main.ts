import { find } from './dom.js';
import { startKeys } from './keys.js';
import { GatewayLink } from './link.js';
import { LogPanel } from './log/panel.js';
import { Story } from './story/story.js';
import { startTabs } from './tabs.js';
import { Toasts } from './toasts.js';
import { UserPanel } from './users/panel.js';

// There is one client, so one connection. The table and the log are two subscriptions on it.
const link = new GatewayLink(find(document, 'meta[name=pregon-gateway]', HTMLMetaElement).content);
const toasts = new Toasts(find(document, '.toasts', HTMLElement));
const users = new UserPanel(link, toasts);
const log = new LogPanel(link, {
  received: (event, isLive) => story.received(event, isLive),
  reset: (reason) => story.reset(reason),
});
const story = new Story(link, {
  users: () => users.count,
  log: () => ({ events: log.events, position: log.position }),
  seam: (text) => log.mark(text),
});
startTabs();
startKeys({ add: () => users.add(), filter: () => log.focusFilter(), pause: () => log.togglePause() });
