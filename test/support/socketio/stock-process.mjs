// A stock client of Socket.IO in its own process, to be suspended and killed: stock-process.mjs <url> <options as JSON>
import { io } from 'socket.io-client';

const [url, options] = process.argv.slice(2);
const socket = io(url, JSON.parse(options));
const say = (...said) => console.log(JSON.stringify(said));
socket.on('connect', () => say('connect', socket.recovered));
socket.on('disconnect', (reason) => say('disconnect', reason));
socket.on('event', ({ data }) => say('event', data.n));
socket.io.on('reconnect_attempt', (attempt) => say('attempt', attempt));
