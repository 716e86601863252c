import { drivers } from '../support/outbox/drivers.js';
import { describeOutbox } from './outbox.contract.js';

for (const driver of drivers()) describeOutbox(driver);
