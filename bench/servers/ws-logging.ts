import { pino } from 'pino';
import { startWsService } from './ws-service.js';

/** A standalone program: it logs a line for each closed connection, as an application would. */
const logger = pino();
const { port } = await startWsService({ closed: (fields) => logger.info(fields, 'connection closed') });
logger.info({ port, host: '127.0.0.1' }, 'listening');
