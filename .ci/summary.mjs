// Prints the slowest test files and the sum of all results, and fails if anything failed or was skipped.
import { readdirSync, readFileSync } from 'node:fs';
import { relative } from 'node:path';

const SHOWN = 10;

const [folder, failedSteps] = process.argv.slice(2);
const files = [];
let passed = 0;
let failed = 0;
let skipped = 0;
for (const name of readdirSync(folder)) {
  const result = JSON.parse(readFileSync(`${folder}/${name}`, 'utf8'));
  passed += result.numPassedTests;
  // A file that cannot be loaded has no tests that could fail.
  failed += result.numFailedTests + (result.success || result.numFailedTests > 0 ? 0 : 1);
  skipped += result.numPendingTests + result.numTodoTests;
  for (const file of result.testResults) {
    files.push({ name: relative('.', file.name), run: name.replace('.json', ''), ms: file.endTime - file.startTime });
  }
}

files.sort((a, b) => b.ms - a.ms);
const totalMs = files.reduce((sum, { ms }) => sum + ms, 0);
console.log(
  `\n== the ${SHOWN} slowest of ${files.length} test files, which took ${seconds(totalMs)} one after another`,
);
for (const { name, run, ms } of files.slice(0, SHOWN)) console.log(`${seconds(ms)}  ${name} (${run})`);

failed += passed === 0 ? 1 : 0;
// Everything was required, so a skipped test is a failure of this run.
if (skipped > 0) console.log(`${skipped} tests were skipped, though everything was required`);
failed += skipped;
if (failed === 0 && Number(failedSteps) > 0) failed = Number(failedSteps);
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed > 0 ? 1 : 0);

function seconds(ms) {
  return `${(ms / 1_000).toFixed(1)} s`.padStart(8);
}
