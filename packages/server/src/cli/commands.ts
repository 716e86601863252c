import { bench } from './bench.js';
import { busCheck, busCreate, busDrop } from './bus.js';
import type { Command } from './command.js';
import { connect } from './connect.js';
import { logInfo } from './log-info.js';
import { logTrim } from './log-trim.js';
import { outboxSql } from './outbox-sql.js';
import { publish } from './publish.js';
import { run } from './run.js';
import { tail } from './tail.js';

/** In the order in which help lists them. */
export const commands: readonly Command[] = [
  run,
  publish,
  tail,
  connect,
  bench,
  logInfo,
  logTrim,
  busCheck,
  busCreate,
  busDrop,
  outboxSql,
];
