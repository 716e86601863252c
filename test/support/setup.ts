import { afterAll, afterEach } from 'vitest';
import { endFile, endTest } from './cleanup.js';

// Runs for each file of tests, also where the files of one worker share their modules.
afterEach(endTest);
afterAll(endFile);
