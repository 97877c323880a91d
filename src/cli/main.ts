import process from 'node:process';
import { runToExit } from './exit.js';
import { runCommandLine } from './program.js';

await runToExit(() => runCommandLine(process.argv.slice(2)));
