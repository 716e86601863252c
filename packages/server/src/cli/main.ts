#!/usr/bin/env node
import { readSettings } from '../settings.js';
import { runProgram } from './program.js';

// What a handler file leaves running must not keep a gateway alive that has stopped.
process.exit(await runProgram(process.argv.slice(2), readSettings()));
