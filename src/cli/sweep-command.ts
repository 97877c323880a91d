import process from 'node:process';
import { type Command, InvalidArgumentError } from 'commander';
import { UserError } from '../common/errors.js';
import { log } from '../common/log.js';
import {
  isSweepPlan,
  overrideGrid,
  parseGrid,
  parseSeeds,
  readSweepPlan,
  type SweepPlan,
} from '../config/sweep-plan.js';
import type { SweepReport } from '../report/sweep-results.js';
import { addConfigOptions } from './config-options.js';

interface SweepFlags {
  output: string;
  grid?: string[];
  seeds?: string;
  test?: boolean;
  jobs: number;
  retryFailed?: boolean;
  reportOnly?: boolean;
  dryRun?: boolean;
  quiet?: boolean;
}

/** Adds `sweep`. What it does is imported when it runs. */
export function addSweep(program: Command): void {
  const command = program
    .command('sweep')
    .argument('[file...]', 'A plan, or config files with --grid or --seeds.')
    .description(
      'A grid of settings × seeds → a training each, a table, a divergence map; goes on where it stopped.',
    )
    .requiredOption(
      '-o, --output <folder>',
      'Folder of the sweep: a run directory for each cell, and the report.',
    )
    .option(
      '--grid <key=values>',
      'Values of a key, with commas between them, in place of those of a plan; repeatable.',
      collect,
    )
    .option('--seeds <n>', 'Number of seeds, or seeds with commas between them, in place of those of a plan.')
    .option('--test', 'Translate the test text by each model, and score it.')
    .option('-j, --jobs <n>', 'Cells to train at a time; they share the threads.', parseCount, 1)
    .option('--retry-failed', 'Run cells again that have failed.')
    .option('--report-only', 'Train nothing: report of what there is.')
    .option('--dry-run', 'Check every config and print the cells.')
    .option('--quiet', 'Print warnings and errors only.');
  const settings = addConfigOptions(command, ['data.root', 'backend', 'gpu', 'threads']);
  command.action(async (files: string[], flags: SweepFlags) => {
    const { output, jobs, retryFailed = false, dryRun = false, quiet = false } = flags;
    log.setQuiet(quiet);
    const { listCells, reportOnly, sweep } = await import('../workflows/sweep/sweep.js');
    const { groupTable, markdownTable } = await import('../report/sweep-table.js');
    const reporting = {
      args: process.argv.slice(2),
      onReport: (report: SweepReport) => process.stdout.write(`${markdownTable(groupTable(report))}\n`),
    };
    if (flags.reportOnly === true) await reportOnly(output, reporting);
    else if (dryRun) {
      for (const { name, state } of listCells(planOf(files, flags), settings, { output, retryFailed }))
        process.stdout.write(`${name}\t${state}\n`);
    } else await sweep(planOf(files, flags), settings, { output, jobs, retryFailed, quiet, ...reporting });
  });
}

/** The plan in a file, over which the flags go, or the one that the flags make of config files. */
function planOf(files: readonly string[], { grid = [], seeds: typed, test = false }: SweepFlags): SweepPlan {
  const axes = grid.map(parseGrid);
  const seeds = typed === undefined ? undefined : parseSeeds(typed);
  const varied = axes.length > 0 || seeds !== undefined;
  if (varied && !files.some(isSweepPlan)) {
    return { files, set: [], grid: axes, cells: [], seeds: seeds ?? [1], test };
  }
  if (files.length !== 1) {
    throw new UserError({
      problem: `expected one plan, found ${files.length} files`,
      hint: varied
        ? 'A plan stands alone, and names its config files itself; --grid and --seeds go over it.'
        : 'Config files need --grid or --seeds beside them: admin-nmt sweep CONFIG --grid train.lr=0.001,0.003 -o DIR.',
    });
  }
  const plan = overrideGrid(readSweepPlan(files[0]), axes);
  return { ...plan, seeds: seeds ?? plan.seeds, test: plan.test || test };
}

function collect(value: string, before: string[] = []): string[] {
  return [...before, value];
}

function parseCount(text: string): number {
  if (/^[1-9]\d{0,3}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('Expected a number of at least 1.');
}
