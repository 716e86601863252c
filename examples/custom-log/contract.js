// @ts-check
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { describeLog } from 'pregon/testing';
import { files } from './files.js';

// The contract suite of every log, with the test runner of Node.js: `npm test`.
describeLog(
  { describe, it },
  {
    name: 'flat files',
    capabilities: { durable: true },
    async create(options = {}) {
      const folder = mkdtempSync(join(tmpdir(), 'pregon-files-'));
      let log = await files().open(`files:${folder}`, options);
      return {
        log,
        async reopen() {
          await log.close();
          log = await files().open(`files:${folder}`, options);
          return log;
        },
        async dispose() {
          await log.close();
          rmSync(folder, { recursive: true });
        },
      };
    },
  },
);
