/** The form of a route name, which appears in URLs and on the command line. */
export const ROUTE_NAME = /^[A-Za-z0-9][\w.-]*$/;
