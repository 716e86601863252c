// The same in CommonJS: `node classic.cjs`.
const { join } = require('node:path');
const express = require('express');
const { attachGateway } = require('pregon');

const { PORT = '8080', HOST, LOG = 'sqlite:data/log.db' } = process.env;

const app = express();
app.use(express.static(join(__dirname, 'public')));
const server = app.listen(Number(PORT), HOST);

attachGateway(server, { log: LOG, routes: { notices: { path: '/notices' } } }).then(({ io }) => {
  require('./controllers/sockets.js')(io);
  console.log(`running on port ${server.address().port}`);
});
