/** Lets pages of other origins read the responses of this server (Fetch standard, "CORS protocol"). */
export function cors(origins = []) {
  return (request, response, next) => {
    const { origin } = request.headers;
    response.vary('Origin');
    if (origin === undefined || !origins.includes(origin)) return next();
    response.set('Access-Control-Allow-Origin', origin);
    if (request.method !== 'OPTIONS') return next();
    response.set('Access-Control-Allow-Methods', 'GET, POST');
    response.set('Access-Control-Allow-Headers', 'Content-Type');
    response.status(204).end();
  };
}
