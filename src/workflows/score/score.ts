import { UserError } from '../../common/errors.js';
import { log } from '../../common/log.js';
import { unknownChoice } from '../../metrics/choice.js';
import { CorpusChecks } from '../../metrics/corpus-checks.js';
import { BLEU, type CorpusScorer, type Metric, pairedTestOf, type Score } from '../../metrics/sacrebleu.js';
import type { SumSamples } from '../../metrics/sampling.js';
import { openDetails } from './details.js';
import { readSegments, type ScoreInput, type Segment } from './input.js';
import { createMetrics, type MetricOptions } from './metrics.js';
import {
  type Column,
  FORMATS,
  formatSystem,
  formatSystems,
  type OutputOptions,
  type TestKind,
} from './output.js';
import type { ComparisonPage } from './page.js';

export interface ScoreOptions extends ScoreInput, MetricOptions, OutputOptions {
  /** One line of output for each line of input. */
  sentenceLevel: boolean;
  /** Also BLEU of the tokens as they stand. */
  tokenized: boolean;
  /** Resamples for the confidence of one system. */
  confidence?: number;
  /** Compares the systems with the first one. */
  paired?: TestKind;
  /** Of resamples and trials; null takes entropy from the system. */
  seed: number | null;
  /** The most that a test runs on; absent: as many as this process may use. */
  threads?: number;
  /** File for the scores of each line, as JSON. */
  details?: string;
  /** File for a page that shows two systems side by side. */
  html?: string;
}

/** A metric and the name under which it is printed. */
interface Named {
  metric: Metric;
  /** Where it is not the metric's own. */
  label?: string;
}

/** Sees every line of every system as it is scored. */
interface LineObserver {
  /** @param scores for each system the scores of this line, by the names of the metrics */
  add(line: number, segment: Segment, scores: readonly Record<string, number>[]): void;
}

/**
 * What `admin-nmt score` prints. Nothing is printed before every file has been read to its end, so that an
 * error leaves no half of a result.
 *
 * @throws UserError for options that do not exist or exclude each other, and for files that are missing, not UTF-8, empty
 *   or of unequal length
 */
export async function scoreFiles(options: ScoreOptions): Promise<string> {
  checkOptions(options);
  if (options.sentenceLevel) return await scoreSentences(options);
  const metrics: Named[] = (await createMetrics(options)).map((metric) => ({ metric }));
  const page = options.html === undefined ? undefined : await startPage(markedBleu(metrics, options));
  if (options.tokenized) metrics.splice(1, 0, { metric: tokenizedBleu(options), label: TOKENIZED });
  const details = options.details === undefined ? undefined : openDetails(options.details, options);
  try {
    const observers = [details, page].filter((observer) => observer !== undefined);
    const scored = await scoreCorpora(options, metrics, observers);
    const names = systemNames(options, scored.corpora.length);
    const results = compute(options, metrics, scored, await startSums(options));
    page?.write(options.html!, options, results);
    details?.commit();
    if (options.tokenized) explainTokenized();
    return `${print(options, names, results)}\n`;
  } finally {
    details?.close();
  }
}

/** What has been read. */
interface Scored {
  /** For each system a corpus for each metric. */
  corpora: CorpusScorer<Score>[][];
  /** For each system whether its text is that of the first one. */
  sameText: boolean[];
}

/** Reads everything once. */
async function scoreCorpora(
  options: ScoreOptions,
  metrics: readonly Named[],
  observers: readonly LineObserver[],
): Promise<Scored> {
  const keepSegments = options.confidence !== undefined || options.paired !== undefined;
  const corpora: CorpusScorer<Score>[][] = [];
  const sameText: boolean[] = [];
  const checks: CorpusChecks[] = [];
  let line = 0;
  for await (const segments of readSegments(options)) {
    for (const segment of segments) {
      while (corpora.length < segment.hypotheses.length) {
        corpora.push(metrics.map(({ metric }) => metric.startCorpus({ keepSegments })));
        checks.push(new CorpusChecks(options.bleu.lowercase === true));
        sameText.push(true);
      }
      line++;
      const { hypotheses, references } = segment;
      const statistics = hypotheses.map((hypothesis, system) => {
        checks[system].add(hypothesis, references[0]);
        if (hypothesis !== hypotheses[0]) sameText[system] = false;
        return corpora[system].map((corpus) => corpus.add(hypothesis, references));
      });
      if (observers.length === 0) continue;
      const scores = statistics.map((own) => scoresOf(metrics, own));
      for (const observer of observers) observer.add(line, segment, scores);
    }
  }
  if (!options.bleu.force) warn(checks, systemNames(options, corpora.length));
  return { corpora, sameText };
}

/** Scores of one segment by the names under which they are printed. */
function scoresOf(metrics: readonly Named[], statistics: readonly number[][]): Record<string, number> {
  return Object.fromEntries(
    metrics.map(({ metric, label }, i) => {
      const { name, score } = metric.scoreSegment(statistics[i]);
      return [label ?? name, score];
    }),
  );
}

function warn(checks: readonly CorpusChecks[], names: readonly string[]): void {
  checks.forEach((check, i) => {
    for (const warning of check.warnings()) log.warn(names.length > 1 ? `${names[i]}: ${warning}` : warning);
  });
}

/** The results of each metric over all systems. */
function compute(
  { confidence, paired, seed }: ScoreOptions,
  metrics: readonly Named[],
  { corpora, sameText }: Scored,
  sum?: SumSamples,
): Column[] {
  if (corpora.length > 1 && confidence !== undefined) {
    const hint = 'Compare systems with --paired-bs or --paired-ar.';
    throw conflict(`--confidence is for one system, found ${corpora.length}`, hint);
  }
  if (paired !== undefined) {
    return pairedTestOf(corpora, { ...paired, seed, sum }, sameText).map((column, i) => ({
      ...column,
      name: metrics[i].label ?? column.name,
    }));
  }
  const bootstrap = confidence === undefined ? undefined : { resamples: confidence, seed, sum };
  return metrics.map(({ metric, label }, i) => {
    const results = corpora.map((system) => system[i].score(bootstrap));
    return { name: label ?? results[0].name, signature: metric.getSignature(), results };
  });
}

function print(options: ScoreOptions, names: readonly string[], columns: readonly Column[]): string {
  const asTable = names.length > 1 || !(options.scoreOnly || ['json', 'text'].includes(options.format));
  return asTable ? formatSystems(names, columns, options, options.paired) : formatSystem(columns, options);
}

/** One line a sentence; as in sacreBLEU always as text, in the order of the input, and with effective order. */
async function scoreSentences(options: ScoreOptions): Promise<string> {
  const bleu = { ...options.bleu, effectiveOrder: true };
  const [metric, ...others] = await createMetrics({ ...options, bleu });
  if (others.length > 0)
    throw conflict('expected one metric with --sentence-level', 'Or name a file with --details.');
  const lines: string[] = [];
  for await (const segments of readSegments(options)) {
    for (const { hypotheses, references } of segments) {
      if (hypotheses.length > 1) {
        throw conflict('expected one system with --sentence-level', 'Or name a file with --details.');
      }
      const score = metric.sentenceScore(hypotheses[0], references);
      const column = { name: score.name, signature: metric.getSignature(), results: [score] };
      lines.push(formatSystem([column], { ...options, format: 'text' }));
    }
  }
  return lines.map((line) => `${line}\n`).join('');
}

/** Names in a table: those of the files, or numbers on standard input; the baseline of a test is called so. */
function systemNames({ systems, paired }: ScoreOptions, count: number): string[] {
  const files = systems.length > 0;
  return Array.from({ length: count }, (_, i) => {
    if (paired === undefined) return files ? systems[i] : `System ${i + 1}`;
    if (i > 0) return files ? systems[i] : `System ${i}`;
    return files ? `Baseline: ${systems[0]}` : 'Baseline';
  });
}

/** Loaded where it is asked for: most scores need no page. */
async function startPage(marked: BLEU): Promise<ComparisonPage> {
  const { ComparisonPage } = await import('./page.js');
  return new ComparisonPage(marked);
}

/** What makes the sums of a test, where there is one. */
async function startSums({ confidence, paired, threads }: ScoreOptions): Promise<SumSamples | undefined> {
  if (confidence === undefined && paired === undefined) return undefined;
  const { sumWhereItPays } = await import('./threads.js');
  return (sampling) => sumWhereItPays(sampling, threads);
}

/** The BLEU whose tokens a page marks: the one that is computed, or 13a's. */
function markedBleu(metrics: readonly Named[], { bleu: { lowercase } }: ScoreOptions): BLEU {
  const computed = metrics.map(({ metric }) => metric).find((metric) => metric instanceof BLEU);
  return computed ?? new BLEU({ lowercase });
}

const TOKENIZED = 'tokenized BLEU';

/** BLEU as multi-bleu.perl and the official code's scorer have it: tokens as they stand, no smoothing. */
function tokenizedBleu({ bleu: { lowercase } }: ScoreOptions): BLEU {
  return new BLEU({ lowercase, tokenize: 'none', smoothMethod: 'none', force: true });
}

function explainTokenized(): void {
  log.info(
    'BLEU: of detokenized text under the tokenizer in the signature; it can be compared between papers.',
  );
  log.info(
    `${TOKENIZED}: of the tokens as they stand, without smoothing, as multi-bleu.perl and fairseq-score print it and the paper ` +
      'reports it; it can be compared only where the text was tokenized alike.',
  );
}

function conflict(problem: string, hint: string): UserError {
  return new UserError({ problem, hint });
}

function checkOptions(options: ScoreOptions): void {
  const { format, width, confidence, paired, threads, sentenceLevel, tokenized, details, html } = options;
  if (!FORMATS.includes(format)) throw unknownChoice('--format', format, FORMATS);
  if (!Number.isInteger(width) || width < 0 || width > 20) {
    throw new UserError({
      problem: `expected a width of 0 to 20 decimals, found ${width}`,
      where: '--width',
    });
  }
  if (threads !== undefined && (!Number.isInteger(threads) || threads < 1)) {
    throw new UserError({ problem: `expected 1 thread or more, found ${threads}`, where: '--threads' });
  }
  for (const count of [confidence, paired?.samples]) {
    if (count !== undefined && (!Number.isInteger(count) || count < 1)) {
      throw new UserError({
        problem: `expected a number of resamples or trials of 1 or more, found ${count}`,
      });
    }
  }
  if (sentenceLevel && (confidence !== undefined || paired !== undefined)) {
    throw conflict('there are no tests of single sentences', 'Leave out --sentence-level, or the test.');
  }
  if (sentenceLevel && (tokenized || details !== undefined || html !== undefined)) {
    throw conflict(
      '--sentence-level goes with neither --tokenized, --details nor --html',
      'Leave it out: --details has the scores of each line.',
    );
  }
  if (confidence !== undefined && paired !== undefined) {
    throw conflict('--confidence is for one system, a paired test for several', 'Leave one of them out.');
  }
  if (paired !== undefined && options.systems.length === 1) {
    throw conflict(
      'a paired test compares at least two systems, found one',
      'Name them after --input: --input BASELINE SYSTEM',
    );
  }
  if (options.source !== undefined && details === undefined && html === undefined) {
    throw conflict(
      '--source is shown by --html and --details, found neither',
      'Name a file with one of them.',
    );
  }
  if (html !== undefined && options.systems.length !== 2) {
    throw conflict(
      `--html shows two systems, found ${options.systems.length}`,
      'Name two files after --input.',
    );
  }
}
