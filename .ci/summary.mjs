// Prints the slowest test files, what failed and the sum of all results, and fails if anything failed or was skipped.
import { readdirSync, readFileSync } from 'node:fs';
import { relative } from 'node:path';

const SHOWN = 10;
const LINES_SHOWN = 12;

const [folder, failedSteps] = process.argv.slice(2);
const files = [];
let passed = 0;
let failed = 0;
let skipped = 0;
const failures = [];
for (const name of readdirSync(folder)) {
  const result = JSON.parse(readFileSync(`${folder}/${name}`, 'utf8'));
  passed += result.numPassedTests;
  // A file that cannot be loaded has no tests that could fail.
  failed += result.numFailedTests + (result.success || result.numFailedTests > 0 ? 0 : 1);
  skipped += result.numPendingTests + result.numTodoTests;
  for (const file of result.testResults) {
    const [path, run] = [relative('.', file.name), name.replace('.json', '')];
    files.push({ name: path, run, ms: file.endTime - file.startTime });
    for (const test of file.assertionResults) {
      if (test.status === 'failed') failures.push({ path, run, title: test.fullName, why: test.failureMessages[0] });
    }
  }
}

files.sort((a, b) => b.ms - a.ms);
const totalMs = files.reduce((sum, { ms }) => sum + ms, 0);
console.log(
  `\n== the ${SHOWN} slowest of ${files.length} test files, which took ${seconds(totalMs)} one after another`,
);
for (const { name, run, ms } of files.slice(0, SHOWN)) console.log(`${seconds(ms)}  ${name} (${run})`);

// Once more at the end, since the tests above them print thousands of lines.
if (failures.length > 0) console.log(`\n== what failed`);
for (const { path, run, title, why = '' } of failures) {
  console.log(`${path} (${run}): ${title}\n    ${why.split('\n').slice(0, LINES_SHOWN).join('\n    ')}`);
}

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
