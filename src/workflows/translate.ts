import { initBackend } from '../backend/init.js';
import { UserError } from '../common/errors.js';
import { log } from '../common/log.js';
import { type Progress, startProgress } from '../common/progress.js';
import type { Config, DecodeConfig } from '../config/schema.js';
import { readLines } from '../data/text-source.js';
import { locateCheckpoint, type WeightsKind } from '../decode/checkpoint-location.js';
import { loadModel } from '../decode/load-model.js';
import type { TextCodec } from '../decode/text-codec.js';
import { translateLines } from '../decode/translate-lines.js';
import { formatTranslation, type TranslationFormat } from '../decode/translation-format.js';
import { IncrementalDecoder } from '../model/incremental.js';

/** Lines to group by length at a time. */
const CHUNK = 2000;

/** Where a command's lines go. */
export interface LineOutput {
  readonly isTerminal: boolean;
  /** @returns false when nobody reads on, as in `… | head -1` */
  write(text: string): Promise<boolean>;
  /** All is written. */
  commit(): void;
  /** Ends it; a file that was not committed is removed. */
  close(): void;
}

export interface TranslateFileOptions {
  /** The resolved config of the run, with what the command line changes in `decode`. */
  config: Config;
  /** A file, plain or gzipped; absent or `-` is standard input. */
  input?: string;
  /** Opens what the translations are written to, once the model is loaded. */
  openOutput: () => LineOutput;
  /** A checkpoint of the run, by name or path. */
  checkpoint?: string;
  /** Which weights of it; by default those that the run validates. */
  weights?: WeightsKind;
  format: TranslationFormat;
  /** Lines to group by length at a time, which bound the memory; 1 answers each line as it comes. */
  chunk?: number;
}

/**
 * `admin-nmt translate`: raw text in, translations out, one for each line in the order of the input. The reader
 * of standard output may leave early.
 *
 * @param run a run directory, or a checkpoint in one
 * @throws UserError for what the user can mend; no file is then written
 */
export async function translateFile(run: string, options: TranslateFileOptions): Promise<void> {
  const { config, input = '-', openOutput, format, chunk = CHUNK } = options;
  checkNbest(config.decode, format);
  const location = locateCheckpoint(run, options.checkpoint);
  const total = input === '-' ? undefined : await countLines(input);
  const backend = await initBackend(config.backend, config.threads);
  log.info(`Backend: ${backend.name} (${backend.reason})`);
  const loaded = loadModel(location, config, options.weights);
  log.info(`Model: ${location.checkpoint}`);
  if (!loaded.tokenized) log.info('No tokenizer in the run directory: tokens are parted by white space.');
  const output = openOutput();
  const decoder = new IncrementalDecoder(loaded.model);
  // Translations that run over the terminal show the progress themselves, and a bar would tear them.
  const progress = output.isTerminal
    ? undefined
    : startProgress({ label: 'Translating', total, unit: 'lines', plainEvery: 30_000 });
  try {
    const work = { format, output, progress, chunk };
    await translateAll(readLines(input), decoder, loaded.codec, config, work);
    output.commit();
  } finally {
    progress?.stop();
    output.close();
    decoder.dispose();
    loaded.model.dispose();
  }
}

function checkNbest({ beam, nbest }: DecodeConfig, format: TranslationFormat): void {
  if (nbest > beam) {
    throw new UserError({
      problem: `expected nbest to be at most beam, found nbest ${nbest} and beam ${beam}`,
      where: 'decode.nbest',
      hint: `Use --beam ${nbest}, or a smaller --nbest.`,
    });
  }
  if (nbest > 1 && format === 'text') {
    throw new UserError({
      problem: `expected nbest 1 with the format text, which has one line for each line; found nbest ${nbest}`,
      where: 'decode.nbest',
      hint: 'Use --format nbest, jsonl or fairseq.',
    });
  }
}

async function countLines(file: string): Promise<number> {
  let lines = 0;
  for await (const _ of readLines(file)) lines++;
  return lines;
}

interface Work {
  format: TranslationFormat;
  output: LineOutput;
  progress: Progress | undefined;
  chunk: number;
}

async function translateAll(
  lines: AsyncIterable<string>,
  decoder: IncrementalDecoder,
  codec: TextCodec,
  config: Config,
  { format, output, progress, chunk }: Work,
): Promise<void> {
  const { maxPositions } = config.model;
  const started = performance.now();
  let done = 0;
  const translations = translateLines(lines, decoder, codec, {
    ...config.decode,
    maxPositions,
    chunk,
    onCut: (index, length) => {
      log.warn(`line ${index + 1}: ${length} tokens, cut to the ${maxPositions} positions of the model`);
    },
    onBatch: (count) => {
      done += count;
      progress?.update(done, [`${rate(done, started)} sentences/s`]);
    },
  });
  let sentences = 0;
  let tokens = 0;
  for await (const translation of translations) {
    if (!(await output.write(formatTranslation(translation, format)))) return;
    sentences++;
    tokens += translation.hypotheses[0].tokens.length;
  }
  progress?.stop();
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  log.info(
    `Translated ${sentences} sentences (${tokens} tokens) in ${seconds} s ` +
      `(${rate(sentences, started)} sentences/s, ${rate(tokens, started)} tokens/s)`,
  );
}

/** Units in a second since `started`. */
function rate(count: number, started: number): string {
  return ((1000 * count) / (performance.now() - started)).toFixed(1);
}
