import process from 'node:process';
import { UserError } from '../common/errors.js';
import { log } from '../common/log.js';
import { readLines } from '../data/text-source.js';
import { unknownChoice } from '../metrics/choice.js';
import { stripEnd } from '../metrics/python-text.js';
import { BLEU, type BleuScore, formatScore, type SmoothMethod } from '../metrics/sacrebleu.js';

export interface ScoreOptions {
  /** One file for each reference, plain or .gz. */
  references: readonly string[];
  /** The hypotheses; '-' or undefined is standard input. */
  input?: string;
  metrics: readonly string[];
  lowercase: boolean;
  tokenize?: string;
  smoothMethod: string;
  smoothValue?: number;
  targetLang?: string;
  force: boolean;
  /** Print the number alone. */
  scoreOnly: boolean;
  /** Decimals of the score. */
  width: number;
  format: string;
  shortSignature: boolean;
  /** One line of output for each line of input. */
  sentenceLevel: boolean;
}

const METRICS = ['bleu'];
const FORMATS = ['json', 'text'];
const STDIN = '-';

/** `admin-nmt score`: prints the score of the hypotheses on stdout. @throws UserError */
export async function runScore(options: ScoreOptions): Promise<void> {
  process.stdout.write(await scoreFiles(options));
}

/**
 * What `admin-nmt score` prints. Nothing is printed before every file has been read to its end, so that an
 * error leaves no half of a result.
 *
 * @throws UserError for options that do not exist and for files that are missing, not UTF-8, empty or of
 *   unequal length
 */
export async function scoreFiles(options: ScoreOptions): Promise<string> {
  const files = [options.input ?? STDIN, ...options.references];
  checkFiles(files);
  checkOutput(options);
  const metric = createMetric(options);
  return options.sentenceLevel
    ? await scoreSentences(metric, files, options)
    : await scoreCorpus(metric, files, options);
}

async function scoreCorpus(metric: BLEU, files: readonly string[], options: ScoreOptions): Promise<string> {
  const corpus = metric.startCorpus();
  for await (const [hypothesis, ...references] of readSegments(files)) corpus.add(hypothesis, references);
  const json = options.format === 'json';
  return `${formatLine(metric, corpus.score(), options, json)}\n`;
}

/** One line a sentence; as in sacreBLEU always as text, in the order of the input. */
async function scoreSentences(
  metric: BLEU,
  files: readonly string[],
  options: ScoreOptions,
): Promise<string> {
  const lines: string[] = [];
  for await (const [hypothesis, ...references] of readSegments(files)) {
    lines.push(formatLine(metric, metric.sentenceScore(hypothesis, references), options, false));
  }
  return lines.map((line) => `${line}\n`).join('');
}

function formatLine(metric: BLEU, score: BleuScore, options: ScoreOptions, json: boolean): string {
  const { width, scoreOnly, shortSignature } = options;
  const signature = metric.getSignature().format(shortSignature && !json);
  return formatScore(score, { width, scoreOnly, signature, json });
}

/**
 * Walks all files in step: yields one line of each. Only the current lines are in memory.
 *
 * @throws UserError with the line count of every file when they differ
 */
async function* readSegments(files: readonly string[]): AsyncGenerator<string[]> {
  const readers = files.map((file) => readLines(file)[Symbol.asyncIterator]());
  try {
    for (let segments = 0; ; segments++) {
      const lines = await Promise.all(readers.map((reader) => reader.next()));
      if (lines.some((line) => line.done)) {
        const rest = await Promise.all(readers.map(countRest));
        const counts = lines.map((line, i) => segments + (line.done ? 0 : 1) + rest[i]);
        return checkCounts(files, counts);
      }
      yield lines.map((line) => stripEnd(line.value as string));
    }
  } finally {
    await Promise.allSettled(readers.map((reader) => reader.return?.()));
  }
}

async function countRest(reader: AsyncIterator<string>): Promise<number> {
  let count = 0;
  while (!(await reader.next()).done) count++;
  return count;
}

function checkCounts(files: readonly string[], counts: readonly number[]): void {
  if (new Set(counts).size > 1) {
    const found = files.map((file, i) => `${counts[i]} in ${displayName(file)}`).join(', ');
    throw new UserError({
      problem: `expected as many lines in every file, found ${found}`,
      hint: 'Line i of the hypotheses is compared with line i of each reference; look for a lost or an extra line.',
    });
  }
  if (counts[0] === 0) {
    throw new UserError({
      problem: 'expected at least one line to score, found none',
      where: displayName(files[0]),
      hint: 'The hypotheses and the references are empty; check that the step before wrote them.',
    });
  }
}

function checkFiles(files: readonly string[]): void {
  if (files.length < 2) {
    throw new UserError({
      problem: 'expected at least one file with references, found none',
      hint: 'Name the references first and the hypotheses with --input: admin-nmt score ref.txt --input hyp.txt',
    });
  }
  if (files.filter((file) => file === STDIN).length > 1) {
    throw new UserError({
      problem: `standard input can be read once, but ${files.filter((file) => file === STDIN).length} files are '-'`,
      hint: 'Give the hypotheses with --input FILE, or the references as files.',
    });
  }
}

function checkOutput({ metrics, format, width, sentenceLevel }: ScoreOptions): void {
  for (const metric of metrics) {
    if (!METRICS.includes(metric)) throw unknownChoice('--metrics', metric, METRICS);
  }
  if (metrics.length === 0 || (sentenceLevel && metrics.length > 1)) {
    throw new UserError({ problem: `expected one metric, found ${metrics.length}`, where: '--metrics' });
  }
  if (!FORMATS.includes(format)) throw unknownChoice('--format', format, FORMATS);
  if (!Number.isInteger(width) || width < 0 || width > 20) {
    throw new UserError({
      problem: `expected a width of 0 to 20 decimals, found ${width}`,
      where: '--width',
    });
  }
}

function createMetric(options: ScoreOptions): BLEU {
  const { lowercase, tokenize, smoothValue, targetLang, force, sentenceLevel } = options;
  const smoothMethod = options.smoothMethod as SmoothMethod; // BLEU checks it
  return new BLEU({
    ...{ lowercase, tokenize, smoothMethod, smoothValue, targetLang, force },
    effectiveOrder: sentenceLevel,
    onWarning: log.warn,
  });
}

function displayName(file: string): string {
  return file === STDIN ? 'standard input' : file;
}
