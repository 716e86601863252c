import { afterAll, afterEach } from 'vitest';
import { endFile, endTest } from './cleanup.js';
import { restoreCollections, shortenCollections } from './collections.js';

// Runs for each test file, also if the files of one worker share their modules.
shortenCollections();
afterEach(endTest);
afterAll(async () => {
  await endFile();
  restoreCollections();
});
