import { pino } from 'pino';
import { startWsService } from './ws-service.js';

/** A program, not asked anything: it logs a line for each connection that has closed, as an application would. */
const logger = pino();
const { port } = await startWsService({ closed: (fields) => logger.info(fields, 'connection closed') });
logger.info({ port, host: '127.0.0.1' }, 'listening');
