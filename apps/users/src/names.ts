/** What the application and its gateway must agree on, in addition to the exchange. */

/** The CloudEvents source of all events of this application, or its prefix if there may be several databases. */
export const SOURCE = '/users';

/** The gateway's route that the page connects to; its path is also in pregon.yml. */
export const ROUTE = { name: 'events', path: '/events' } as const;
