/** What the application and its gateway must agree on, beside the exchange. */

/** The CloudEvents source of every event of this application, or the beginning of it where there may be several databases. */
export const SOURCE = '/users';

/** The gateway's route that the page connects to; its path is also in pregon.yml. */
export const ROUTE = { name: 'events', path: '/events' } as const;
