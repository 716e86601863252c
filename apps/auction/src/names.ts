/** What the application and its gateway must agree on. */

/** Where the application publishes, and what the gateway reads. */
export const EXCHANGE = 'my_events';

/** The CloudEvents source of every event of this application. */
export const SOURCE = '/auction';

/** The gateway's route that the page connects to; its path is also in pregon.yml. */
export const ROUTE = { name: 'events', path: '/events' } as const;
