import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import * as path from 'node:path';
import { userErrorOf } from '../../common/errors.js';
import { writeFileAtomic } from '../../common/files.js';
import { log } from '../../common/log.js';
import { configKeys } from '../../config/keys.js';
import { valueAt } from '../../config/paths.js';
import type { WrittenConfig } from '../../config/schema.js';
import { type ChartLibrary, reportData, trainingPage } from '../../report/training-page.js';
import type { RunWeights, TrainingRun } from '../../report/training-run.js';
import { runFacts } from '../runs/facts.js';
import { type FoundRun, openRun } from '../runs/overview.js';
import { pageOrigin } from '../runs/page-origin.js';
import { lastCheckpoint, readRunWeights } from '../runs/weights.js';
import { serveReport } from './server.js';

export interface ReportOptions {
  readonly output: string;
  /** Serve the page in place of writing it. */
  readonly watch: boolean;
  /** Where to serve it; 0 is any free port. */
  readonly port: number;
  /** The command line, for the page. */
  readonly args?: readonly string[];
}

/**
 * `admin-nmt report`: run directories → one HTML page; with `watch`, a page that follows them until SIGINT.
 *
 * @throws UserError for a folder that is no run directory, or a page that cannot be written or served
 */
export async function report(
  folders: readonly string[],
  { output, watch, port, args }: ReportOptions,
): Promise<void> {
  const reader = new RunReader(folders);
  const library = chartLibrary();
  if (watch) {
    const page = (): string => trainingPage(reader.read(), library, pageOrigin(args), '/data.json');
    page(); // tells what is wrong before there is a page
    const data = (): string => JSON.stringify(reportData(reader.read()));
    await serveReport({ page, data }, port);
    return;
  }
  writeFileAtomic(output, trainingPage(reader.read(), library, pageOrigin(args)));
  log.info(`Report: ${output}`);
}

/** Reads the runs of a report again and again; weights only where there is a new checkpoint. */
export class RunReader {
  private readonly names: ReadonlyMap<string, string>;
  private readonly weights = new Map<string, { checkpoint: string; found: RunWeights | null }>();

  /** @param folders run directories; one that is named twice counts once */
  constructor(folders: readonly string[]) {
    this.names = nameRuns(folders);
  }

  /** @throws UserError for a folder that is no run directory */
  read(): TrainingRun[] {
    return [...this.names].map(([folder, name]) => {
      const run = openRun(folder, name);
      const weights = this.weightsOf(run);
      return {
        ...run.overview,
        lines: run.lines,
        facts: runFacts(folder, run.loaded.config, run.changed, weights?.parameters),
        settings: settingsOf(run.loaded.written),
        weights,
      };
    });
  }

  private weightsOf({ folder, loaded }: FoundRun): RunWeights | null {
    const checkpoint = lastCheckpoint(folder);
    if (checkpoint === undefined) return null;
    const known = this.weights.get(folder);
    if (known?.checkpoint === checkpoint) return known.found;
    const found = readOrWarn(folder, checkpoint, loaded);
    this.weights.set(folder, { checkpoint, found });
    return found;
  }
}

/** A checkpoint that cannot be read, perhaps since a newer one has taken its place, does not end a report. */
function readOrWarn(folder: string, checkpoint: string, { config }: FoundRun['loaded']): RunWeights | null {
  try {
    return readRunWeights(folder, checkpoint, config.model);
  } catch (error) {
    log.warn(`${userErrorOf(error).message}\n  The report leaves the weights of this run out.`);
    return null;
  }
}

/** Each folder once, with a name that no other has: its own, or the path where that is not enough. */
function nameRuns(folders: readonly string[]): Map<string, string> {
  const distinct = [...new Map(folders.map((folder) => [path.resolve(folder), folder])).values()];
  const own = distinct.map((folder) => path.basename(path.resolve(folder)));
  return new Map(
    distinct.map((folder, i) => [folder, own.indexOf(own[i]) === own.lastIndexOf(own[i]) ? own[i] : folder]),
  );
}

function settingsOf(written: WrittenConfig): Map<string, string> {
  return new Map([...configKeys.keys()].map((key) => [key, JSON.stringify(valueAt(written, key))]));
}

/** The charting library as it is installed: it goes into the page, with its licence. */
function chartLibrary(): ChartLibrary {
  const { resolve } = createRequire(import.meta.url);
  const [licence, script, style] = ['LICENSE', 'dist/uPlot.iife.min.js', 'dist/uPlot.min.css'].map((name) =>
    readFileSync(resolve(`uplot/${name}`), 'utf8'),
  );
  return { script: `/*\n${licence}*/\n${script}`, style };
}
