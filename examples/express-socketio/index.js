import { existsSync } from 'node:fs';
import { Server } from './server.js';

// What the environment says already goes first.
if (existsSync('.env')) process.loadEnvFile();

const server = new Server(process.env);
await server.listen();

process.once('SIGTERM', () => server.close());
process.once('SIGINT', () => server.close());
