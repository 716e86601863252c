import type { Worker } from '../../workers/worker.js';
import { createLogger, type ProcessLogger } from '../logging/loggers.js';
import { bannerOf, sayBanner } from './banner.js';
import type { RunPlan } from './run-plan.js';
import { openPlannedLog, Service, type ServiceOptions } from './service.js';
import { onHangUp, stopRequested } from './signals.js';

/**
 * Runs the gateway in this process, alone or as one of several workers.
 *
 * @returns the exit code
 */
export async function serve(plan: RunPlan, worker: Worker | undefined): Promise<number> {
  const logger = createLogger(plan.logFormat, plan.logLevel, worker?.place.number);
  const stop = worker?.stop ?? stopRequested();
  try {
    const log = await openPlannedLog(plan, { logger, stop });
    if (log) await serveLog({ plan, log, logger, worker }, stop);
  } finally {
    await logger.flush();
  }
  return 0;
}

async function serveLog(options: ServiceOptions & { logger: ProcessLogger }, stop: Promise<string>): Promise<void> {
  const { plan, logger, worker } = options;
  const service = new Service(options);
  const reload = () => void service.reloadKeys();
  if (worker) worker.onReload = reload;
  else if (plan.configuration.auth) onHangUp(reload);
  try {
    const facts = await service.start(stop);
    if (facts && worker) worker.serving(facts);
    else if (facts) sayBanner(bannerOf(plan, facts), plan.logFormat, logger);
    const signal = await stop;
    logger.info({ signal }, 'stopping');
  } finally {
    await service.stop();
  }
  logger.info({}, 'stopped');
}
