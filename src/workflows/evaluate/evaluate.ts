import path from 'node:path';
import { UserError } from '../../common/errors.js';
import { optimizeLate } from '../../common/late-optimizer.js';
import { log } from '../../common/log.js';
import { startProgress } from '../../common/progress.js';
import type { Config } from '../../config/schema.js';
import { type AlignedLine, Aligner } from '../../decode/alignment/aligner.js';
import {
  type CheckpointLocation,
  locateCheckpoint,
  type WeightsKind,
} from '../../decode/checkpoint-location.js';
import { type GivenUnit, ScoreSums, scoreUnits } from '../../decode/forced-scores.js';
import { splitWords } from '../../metrics/python-text.js';
import {
  formatLikelihoods,
  type Likelihood,
  likelihoodFigures,
  tellLikelihood,
} from '../../report/likelihood-table.js';
import type { LineOutput } from '../translate.js';
import { type EvaluationFormat, type Given, readGiven } from './given.js';
import { type OpenScorer, openScorer } from './open-scorer.js';

/** Translations to group by length at a time. */
const BLOCK = 2000;

export interface EvaluateOptions {
  /** The resolved config of the run, with what the command line changes. */
  config: Config;
  given: Given;
  /** Opens what is written to, once the model is loaded. */
  openOutput: () => LineOutput;
  /** Checkpoints of the run, by name or path; several come to a table. */
  checkpoints?: readonly string[];
  /** Which weights of them; by default those that the run validates. */
  weights?: WeightsKind;
  format: EvaluationFormat;
  /** Whether the figures of the whole are written, and not those of the lines. */
  summary: boolean;
  /** What scores are called in a list. */
  feature: string;
  /** Whether the tokens of a list are scored as they stand. */
  tokens: boolean;
}

/**
 * `admin-nmt evaluate`: text and translations in, their log-probabilities out, in the order of the input.
 *
 * @param run a run directory, or a checkpoint in one
 * @throws UserError for what the user can mend; no file is then written
 */
export async function evaluateFiles(run: string, options: EvaluateOptions): Promise<void> {
  const { checkpoints = [undefined], openOutput, format } = options;
  checkGiven(options);
  optimizeLate();
  const locations = checkpoints.map((checkpoint) => locateCheckpoint(run, checkpoint));
  const summary = options.summary || locations.length > 1;
  const likelihoods: Likelihood[] = [];
  let output: LineOutput | undefined;
  try {
    for (const location of locations) {
      const scorer = await openScorer(location, options.config, options.weights);
      output ??= openOutput();
      try {
        likelihoods.push(await evaluate(location, scorer, options, summary ? null : output));
      } finally {
        scorer.dispose();
      }
    }
    const lines =
      format === 'jsonl'
        ? likelihoods.map((likelihood) => JSON.stringify(likelihoodFigures(likelihood)))
        : formatLikelihoods(likelihoods);
    if (summary) await output!.write(`${lines.join('\n')}\n`);
    output!.commit();
  } finally {
    output?.close();
  }
}

/** @throws UserError for flags that do not go together */
function checkGiven({
  config,
  given: { source, target, nbest },
  checkpoints = [],
  feature,
}: EvaluateOptions): void {
  const complain = (problem: string, hint: string): never => {
    throw new UserError({ problem, hint });
  };
  if ((nbest === undefined) === (target === undefined))
    complain(
      'expected translations, by --target or by --nbest',
      'Give --source FILE and --target FILE; or --nbest FILE, with --source FILE but for a list of translate --format jsonl.',
    );
  if (target !== undefined && source === undefined)
    complain('expected the text that was translated, found no --source', 'Give it with --source FILE.');
  const inputs = [source, target, nbest].filter((file) => file === '-');
  if (nbest !== undefined && config.decode.alignment !== null)
    complain(
      'a list has no place for alignments; found --alignment',
      'Give the translations by --source and --target, or leave it out.',
    );
  if (inputs.length > 1) complain('expected one input from standard input', 'Name a file for the other.');
  if (inputs.length > 0 && checkpoints.length > 1)
    complain(
      'expected files for several checkpoints, which read them one after the other; found standard input',
      'Write it to a file first.',
    );
  if (!/^[A-Za-z][\w.-]*$/.test(feature) || ['text', 'tokens', 'tokenLogProbs'].includes(feature))
    complain(
      `expected a name for --feature, of letters, digits, dots, dashes and underscores, found '${feature}'`,
      'text, tokens and tokenLogProbs are names of other things.',
    );
}

/** Scores everything with one model. @param output where lines go, if they are wanted */
async function evaluate(
  { checkpoint }: CheckpointLocation,
  { codec, logProbs, attention, maxPositions }: OpenScorer,
  { config, given, ...options }: EvaluateOptions,
  output: LineOutput | null,
): Promise<Likelihood> {
  const { maxTokens, batchSize, lenpen, alignment, alignmentUnit: unit } = config.decode;
  const units = readGiven(given, codec, {
    ...options,
    field: options.feature,
    lenpen,
    maxPositions,
    alignment,
  });
  const limits = { maxTokens, batchSize, maxPositions };
  const wanted = alignment !== null && output !== null;
  const aligner = new Aligner(attention, codec, { ...limits, all: wanted, unit, unknown: null });
  const progress =
    output?.isTerminal === true
      ? undefined
      : startProgress({ label: 'Scoring', unit: 'translations', plainEvery: 30_000 });
  const sums = new ScoreSums();
  try {
    for await (const block of scoreUnits(units, logProbs, { ...limits, block: BLOCK })) {
      for (const { unit, scores } of block)
        scores.forEach((score, i) => {
          sums.add(score, splitWords(unit.targets[i].text).length);
        });
      progress?.update(sums.sentences);
      const aligned = await aligner.align(block.map(({ unit }) => alignedLine(unit)));
      const written =
        output === null ? '' : block.map(({ unit, scores }, i) => unit.write(scores, aligned[i])).join('');
      if (output !== null && !(await output.write(written))) break;
    }
  } finally {
    progress?.stop();
  }
  const { total, ...counts } = sums;
  const likelihood = { ...counts, logProb: total, checkpoint: path.basename(checkpoint) };
  tell(likelihood, maxPositions);
  return likelihood;
}

function alignedLine({ text = '', source, targets }: GivenUnit): AlignedLine {
  return { text, ids: source, targets: targets.map(({ ids }) => [...ids]) };
}

function tell(likelihood: Likelihood, maxPositions: number): void {
  log.info(tellLikelihood(likelihood));
  if (likelihood.tooLong > 0)
    log.warn(
      `${likelihood.tooLong} translations have more tokens than the ${maxPositions} positions of the model: their log-probability is −∞, and they count nowhere`,
    );
}
