import { afterAll, afterEach } from 'vitest';
import { endFile, endTest } from './cleanup.js';
import { restoreCollections, shortenCollections } from './collections.js';

// Runs for each file of tests, also where the files of one worker share their modules.
shortenCollections();
afterEach(endTest);
afterAll(async () => {
  await endFile();
  restoreCollections();
});
