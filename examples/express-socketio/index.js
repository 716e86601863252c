import { existsSync } from 'node:fs';
import { Server } from './server.js';

// Variables that are already set take precedence.
if (existsSync('.env')) process.loadEnvFile();

const server = new Server(process.env);
await server.listen();

process.once('SIGTERM', () => server.close());
process.once('SIGINT', () => server.close());
