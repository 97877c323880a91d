import { type Command, InvalidArgumentError, Option } from 'commander';
import type { ReportOptions } from '../workflows/report/report.js';

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
      const { runReport } = await import('../workflows/report/report.js');
      await runReport(runs, { output: output!, watch, port });
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
      const { listRuns } = await import('../workflows/runs/runs.js');
      listRuns(dir, options);
    });
}

function parsePort(text: string): number {
  const port = Number(text);
  if (/^\d+$/.test(text) && port <= 65535) return port;
  throw new InvalidArgumentError('Expected a number from 0 to 65535.');
}
