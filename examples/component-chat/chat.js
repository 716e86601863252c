const clients = new Set();

/** Sends each message to all other clients. */
export const chat = {
  onOpen: (connection) => clients.add(connection),
  onMessage(from, text) {
    for (const client of clients) if (client !== from) client.send(text);
  },
  onClose: (connection) => clients.delete(connection),
  onError: (connection) => connection.close(),
};
