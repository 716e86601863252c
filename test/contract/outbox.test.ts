import { describe } from 'vitest';
import { postgresBench, sqliteBench } from '../support/outbox/bench.js';
import { drivers } from '../support/outbox/drivers.js';
import { POSTGRES_DRIVERS } from '../support/outbox/postgres-drivers.js';
import { describeWithPostgres } from '../support/postgres.js';
import { outboxContract } from './outbox.contract.js';

for (const driver of drivers()) {
  describe(`An outbox on SQLite by ${driver.name}`, () => outboxContract(sqliteBench(driver)));
}

for (const driver of POSTGRES_DRIVERS) {
  await describeWithPostgres(`An outbox on PostgreSQL by ${driver.name}`, (url) =>
    outboxContract(postgresBench(driver, url)),
  );
}
