#!/usr/bin/env node
import { readSettings } from '../settings.js';
import { runProgram } from './program.js';

// A stopped gateway must exit even if a handler file left timers or sockets open.
process.exit(await runProgram(process.argv.slice(2), readSettings()));
