import * as path from 'node:path';
import { measureDependency } from '../../analysis/dependency.js';
import { expectedShares } from '../../analysis/expectation.js';
import { initBackend } from '../../backend/init.js';
import { UserError } from '../../common/errors.js';
import { writeFileAtomic } from '../../common/files.js';
import { log } from '../../common/log.js';
import { loadConfig, loadRunConfig } from '../../config/load.js';
import { findRun } from '../../config/run-folder.js';
import type { Config, SettledConfig } from '../../config/schema.js';
import { STACKS } from '../../model/scheme.js';
import type { Analysis, Dependency } from '../../report/analysis-data.js';
import { analysisPage } from '../../report/analysis-page.js';
import type { Facts } from '../../report/page-header.js';
import { ensureDataset } from '../preprocess/preprocess.js';
import { configFacts, runFacts } from '../runs/facts.js';
import { lastChange } from '../runs/overview.js';
import { pageOrigin } from '../runs/page-origin.js';
import { openTrainingData } from '../train/data.js';
import { openAnalysisBatch } from './batch.js';
import type { AnalysisContext } from './context.js';
import { checkDictionaries, checkpointModels, initialModels, openModel, runOf } from './models.js';
import { omegaCourse } from './omega.js';
import type { AnalyzeOptions, Measure } from './options.js';
import { measureCheckpoints, measureDepths } from './output-change.js';
import { measureGradients, measureUpdates } from './updates.js';

/**
 * `admin-nmt analyze`: the measures of the paper, of models at initialisation or at checkpoints of a run, with a
 * file of JSON (`output`) and a page (`html`) where they are asked for.
 *
 * @param targets YAML files, or one run directory or checkpoint
 * @throws UserError for what is missing, damaged, or cannot be measured of such a model
 */
export async function analyze(
  what: readonly Measure[],
  targets: readonly string[],
  options: AnalyzeOptions,
): Promise<Analysis> {
  const folder = runOf(targets);
  const { run, checkpoints } = folder === undefined ? { run: undefined } : runAndCheckpoints(folder, options);
  const loaded =
    run === undefined
      ? loadConfig({ files: targets, sets: options.settings })
      : loadRunConfig(run, { sets: options.settings });
  for (const warning of loaded.warnings) log.warn(warning);
  const config = withBatchSize(loaded.config);
  checkOptions(what, run, options);
  const omega = what.includes('omega') ? omegaCourse(run!, config, options.checkpoint) : undefined;
  const models =
    run === undefined
      ? initialModels(config, options.schemes ?? [config.model.residual])
      : what.some((measure) => measure !== 'omega')
        ? checkpointModels(run, config, checkpoints)
        : [];
  const measured =
    models.length === 0 ? { batch: null } : await measureAll(what, run, { config, models, options });
  const analysis: Analysis = {
    format: 'admin-nmt/analysis',
    version: 1,
    seed: config.seed,
    dropout: options.withDropout === true,
    ...measured,
    omega,
  };
  const trained = (): Facts =>
    run === undefined
      ? configFacts(config, { varied: variedKeys(what, options) })
      : runFacts(run, config, lastChange(run));
  write(analysis, trained, options);
  return analysis;
}

/** Of the config: what is not the same in all models at initialisation. */
function variedKeys(what: readonly Measure[], { schemes }: AnalyzeOptions): Set<string> {
  const depths = what.length === 1 && what[0] === 'output-change';
  return new Set([
    ...(schemes === undefined ? [] : ['model.residual']),
    ...(depths ? ['model.encoder.layers', 'model.decoder.layers'] : []),
  ]);
}

/** The run directory, and the checkpoints to look at: the one that was named itself, or those of --checkpoint. */
function runAndCheckpoints(
  folder: string,
  { checkpoint }: AnalyzeOptions,
): { run: string; checkpoints?: readonly string[] } {
  const { runDirectory, checkpoint: named } = findRun(folder);
  const own = named === undefined ? undefined : [path.resolve(named)];
  return { run: runDirectory, checkpoints: checkpoint ?? own };
}

/** @throws UserError for options and measures that do not go with the target */
function checkOptions(
  what: readonly Measure[],
  run: string | undefined,
  { schemes, checkpoint, depths }: AnalyzeOptions,
): void {
  const refuse = (problem: string, where: string, hint: string): UserError =>
    new UserError({ problem, where, hint });
  if (run === undefined && checkpoint !== undefined) {
    throw refuse(
      'expected a run directory, found a config: it has no checkpoints',
      '--checkpoint',
      'Give the save-dir of a training run in place of the config.',
    );
  }
  if (run === undefined && what.includes('omega')) {
    throw refuse(
      'expected a run directory, found a config: ω moves in training alone',
      'omega',
      'For ω at initialisation, run admin-nmt profile; for how it moves, give the save-dir of a training run.',
    );
  }
  if (run !== undefined && (schemes !== undefined || depths !== undefined)) {
    throw refuse(
      'expected a config, found a run directory: a trained model has its own scheme and depth',
      schemes === undefined ? '--depths' : '--schemes',
      `Leave the option out, or give the config: ${path.join(run, 'config.yaml')}`,
    );
  }
}

async function measureAll(
  what: readonly Measure[],
  run: string | undefined,
  { config, models, options }: Pick<AnalysisContext, 'config' | 'models' | 'options'>,
): Promise<Pick<Analysis, 'batch' | 'dependency' | 'outputChange' | 'gradients' | 'updates'>> {
  await ensureDataset(config);
  const backend = await initBackend(config.backend, config.threads, config.gpu);
  log.info(`Backend: ${backend.name} (${backend.reason})`);
  const data = openTrainingData(config);
  try {
    if (run !== undefined) checkDictionaries(run, config, data);
    const batch = openAnalysisBatch(config, data, options);
    const { sentences, targetTokens } = batch.measured;
    log.info(`Batch ${options.batch} of ${options.split}: ${sentences} pairs, ${targetTokens} target tokens`);
    const context: AnalysisContext = { config, models, data, batch, options };
    const only = async <T>(measure: Measure, work: () => Promise<T>): Promise<T | undefined> =>
      what.includes(measure) ? work() : undefined;
    return {
      batch: batch.measured,
      dependency: await only('dependency', () => measureDependencies(context)),
      outputChange: await only('output-change', () =>
        run === undefined ? measureDepths(context) : measureCheckpoints(context),
      ),
      gradients: await only('gradients', () => measureGradients(context)),
      updates: await only('updates', () => measureUpdates(context)),
    };
  } finally {
    data.close();
  }
}

async function measureDependencies({ models, data, batch, options }: AnalysisContext): Promise<Dependency[]> {
  const dependencies: Dependency[] = [];
  for (const analyzed of models) {
    const { subject, config } = analyzed;
    log.info(`Dependency: ${subject.residual}, ${subject.checkpoint}`);
    const { model } = await openModel(analyzed, data, options.withDropout === true);
    try {
      const rows = await measureDependency(model, batch.batch, batch.training);
      const stacks = STACKS.map((stack) => ({
        stack,
        rows: rows.filter((row) => row.stack === stack),
        expected: expectedShares(config.model, stack),
      }));
      dependencies.push({ ...subject, stacks });
    } finally {
      model.dispose();
    }
  }
  return dependencies;
}

function write(analysis: Analysis, trained: () => Facts, { output, html, args }: AnalyzeOptions): void {
  if (html !== undefined) {
    writeFileAtomic(html, analysisPage(analysis, trained(), pageOrigin(args)));
    log.info(`Page: ${html}`);
  }
  if (output !== undefined) {
    writeFileAtomic(output, formatAnalysis(analysis));
    log.info(`Figures: ${output}`);
  }
}

/** The figures as they are written. */
export function formatAnalysis(analysis: Analysis): string {
  return `${JSON.stringify(analysis, null, 1)}\n`;
}

/** What is measured on a batch needs its size. @throws UserError where it is left to be found */
function withBatchSize(config: Config): SettledConfig {
  const { maxTokens } = config.train;
  if (maxTokens !== 'auto') return { ...config, train: { ...config.train, maxTokens } };
  throw new UserError({
    problem: 'expected a number of tokens, found auto',
    where: 'train.max-tokens',
    hint: 'A model is looked at on a batch of a given size, for example --max-tokens 1000.',
  });
}
