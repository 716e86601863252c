/** The names that stand in URLs and on the command line. */
export const ROUTE_NAME = /^[A-Za-z0-9][\w.-]*$/;
