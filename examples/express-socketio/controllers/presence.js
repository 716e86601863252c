/** Logs each client that connects, reconnects or disconnects. Clients of a route keep their id when they reconnect. */
export function presence(namespace) {
  namespace.on('connection', (socket) => {
    const who = `${socket.id} of ${namespace.name}`;
    console.log(`${who} ${socket.recovered ? 'reconnected' : 'connected'}`);
    socket.on('disconnect', (reason) => console.log(`${who} disconnected: ${reason}`));
  });
}
