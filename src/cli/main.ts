import process from 'node:process';
import { runToExit } from './exit.js';
import { isCommand, runCommandLine } from './program.js';
import { joinRanks, leaveRanks } from './ranks.js';

await runToExit(async () => {
  const args = await joinRanks(process.argv.slice(2), isCommand);
  if (args !== undefined) await runCommandLine(args);
}, leaveRanks);
