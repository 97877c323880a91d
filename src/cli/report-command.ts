import process from 'node:process';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { log } from '../common/log.js';
import { formatRuns } from '../report/runs-table.js';
import type { ReportOptions } from '../workflows/report/report.js';
import type { FoundRunDirectory } from '../workflows/runs/runs.js';

/** Adds `report`. What it does is imported when it runs. */
export function addReport(program: Command): void {
  program
    .command('report')
    .argument('<run...>', 'Run directories of train; they may be under way.')
    .description('Run directories → one HTML page with their curves, configs, ω and norms.')
    .option('-o, --output <file>', 'The page to write.', 'report.html')
    .addOption(
      new Option('--watch', 'Serve the page on this machine; it follows the training.').conflicts('output'),
    )
    .addOption(
      new Option('--port <number>', 'Port to serve it on (default: any free one).')
        .argParser(parsePort)
        .implies({ watch: true }),
    )
    .action(async (runs: string[], { output, watch = false, port = 0 }: Partial<ReportOptions>) => {
      const { report } = await import('../workflows/report/report.js');
      await report(runs, { output: output!, watch, port, args: process.argv.slice(2) });
    });
}

/** Adds `runs`. */
export function addRuns(program: Command): void {
  program
    .command('runs')
    .argument('[dir]', 'Where to look, two folders deep.', '.')
    .description('The run directories in a folder: state, updates, best loss, age, size.')
    .option('--json', 'Print JSON.')
    .action(async (dir: string, options: { json?: boolean }) => {
      const { findRuns, DEPTH } = await import('../workflows/runs/runs.js');
      const runs = findRuns(dir);
      if (options.json === true) process.stdout.write(`${JSON.stringify(runs.map(asJson), null, 2)}\n`);
      else if (runs.length === 0) log.info(`No run directory in ${dir}, nor ${DEPTH} folders deep.`);
      else process.stdout.write(`${formatRuns(runs.map(withAge)).join('\n')}\n`);
    });
}

function asJson(run: FoundRunDirectory) {
  return { ...run, changed: run.changed.toISOString() };
}

function withAge({ changed, ...run }: FoundRunDirectory) {
  return { ...run, age: (Date.now() - changed.getTime()) / 1000 };
}

function parsePort(text: string): number {
  const port = Number(text);
  if (/^\d+$/.test(text) && port <= 65535) return port;
  throw new InvalidArgumentError('Expected a number from 0 to 65535.');
}
