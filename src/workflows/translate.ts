import { alone, type Communicator } from '../common/communicator.js';
import { UserError } from '../common/errors.js';
import { optimizeLate } from '../common/late-optimizer.js';
import { log } from '../common/log.js';
import { type Progress, startProgress } from '../common/progress.js';
import type { Config, DecodeConfig } from '../config/schema.js';
import { InputLines } from '../data/input-lines.js';
import { locateCheckpoint, type WeightsKind } from '../decode/checkpoint-location.js';
import { type LineRequest, parseRequest } from '../decode/line-request.js';
import {
  type AlignmentKind,
  formatTranslation,
  type Translation,
  type TranslationFormat,
} from '../decode/translation-format.js';
import { threadsOfRanks } from '../distributed/processors.js';
import { checkNbest, type LineListeners, OpenModel } from './open-model.js';
import { checkDocument, type DocumentKind, DocumentLines, translateParts } from './translate-document.js';
import { checkShared, inTurn, OwnLines, type Written } from './translate-together.js';
import { checkPage, TranslationPage } from './translation-page.js';

/** Lines of text, or objects in JSON with what is wished of each. */
export type InputFormat = 'text' | 'jsonl';

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
  /** What the lines of the input are (default: text). */
  inputFormat?: InputFormat;
  format: TranslationFormat;
  /** What the input is, where it is no text with a sentence on each line. */
  document?: DocumentKind;
  /** The processes that share the lines out, all of which call this; default one. Rank 0 alone writes. */
  communicator?: Communicator;
  /** Asks who types for the next line, where somebody does. */
  prompt?: () => void;
  /** A file for a page of the first translations with their alignment. */
  html?: string;
  /** The command line, for the page. */
  args?: readonly string[];
}

/**
 * `admin-nmt translate`: raw text in, translations out, one for each line in the order of the input. The reader
 * of standard output may leave early.
 *
 * @param run a run directory, or a checkpoint in one
 * @throws UserError for what the user can mend; no file is then written
 */
export async function translateFile(run: string, options: TranslateFileOptions): Promise<void> {
  const {
    config: given,
    input = '-',
    openOutput,
    inputFormat = 'text',
    format,
    document,
    prompt,
    communicator = alone,
    html,
    args,
  } = options;
  const config = { ...given, threads: given.threads ?? ownThreads(communicator) };
  optimizeLate();
  checkNbest(config.decode);
  checkFormat(config.decode, format);
  if (document !== undefined)
    checkDocument(document, inputFormat, format, communicator.size, config.decode.alignment);
  if (html !== undefined) checkPage(document, communicator);
  const location = locateCheckpoint(run, options.checkpoint);
  if (communicator.size > 1) checkShared(communicator, input, location.checkpoint);
  const lines = await InputLines.open(input);
  try {
    const model = await OpenModel.open(
      location,
      config,
      options.weights,
      share(lines.estimate, communicator),
    );
    try {
      const output = communicator.rank === 0 ? openOutput() : NOWHERE;
      const { alignment } = config.decode;
      const work = { lines, inputFormat, format, alignment, document, prompt, communicator, html, args };
      await translateTo(output, model, work);
    } finally {
      model.dispose();
    }
  } finally {
    await lines.close();
  }
}

/** Threads of this one of several processes; null leaves it to the engine. */
function ownThreads(communicator: Communicator): number | null {
  return communicator.size === 1 ? null : threadsOfRanks(communicator)[communicator.rank];
}

const share = (lines: number | undefined, { size }: Communicator): number | undefined =>
  lines === undefined ? undefined : Math.ceil(lines / size);

/** The output of a rank whose lines another one writes. */
const NOWHERE: LineOutput = { isTerminal: false, write: async () => true, commit: () => {}, close: () => {} };

async function translateTo(output: LineOutput, model: OpenModel, work: Work): Promise<void> {
  const { lines, prompt } = work;
  const document = work.document && { ...work.document, lines: new DocumentLines(lines) };
  const [total, unit] = document
    ? [() => document.lines.estimate, 'sentences']
    : [lines.total ?? (() => lines.estimate), 'lines'];
  // Translations that run over the terminal show the progress themselves, and a bar would tear them, or what is typed.
  const progress =
    output.isTerminal || prompt !== undefined || work.communicator.rank > 0
      ? undefined
      : startProgress({ label: 'Translating', total, unit, plainEvery: 30_000 });
  let page: TranslationPage | undefined;
  try {
    page = work.html === undefined ? undefined : new TranslationPage(work.html, work.args);
    await translateAll(output, model, progress, { ...work, document, page });
    output.commit();
    page?.commit();
  } finally {
    progress?.stop();
    output.close();
    page?.close();
  }
}

function checkFormat({ nbest }: DecodeConfig, format: TranslationFormat): void {
  if (nbest > 1 && format === 'text') {
    throw new UserError({
      problem: `expected nbest 1 with the format text, which has one line for each line; found nbest ${nbest}`,
      where: 'decode.nbest',
      hint: 'Use --format nbest, jsonl or fairseq.',
    });
  }
}

type OpenDocument = DocumentKind & { lines: DocumentLines };

interface Work<Document = DocumentKind> {
  lines: InputLines;
  inputFormat: InputFormat;
  format: TranslationFormat;
  /** What of alignments is written. */
  alignment: AlignmentKind | null;
  document: Document | undefined;
  prompt?: () => void;
  communicator: Communicator;
  html?: string;
  args?: readonly string[];
  page?: TranslationPage;
}

async function translateAll(
  output: LineOutput,
  model: OpenModel,
  progress: Progress | undefined,
  { lines, inputFormat, format, alignment, document, prompt, communicator, page }: Work<OpenDocument>,
): Promise<void> {
  const started = performance.now();
  let done = 0;
  const several = communicator.size > 1;
  const own = new OwnLines(communicator);
  const warnings: string[] = [];
  const all: AsyncIterable<string | LineRequest> = inputFormat === 'jsonl' ? requests(lines) : lines;
  const listeners: LineListeners = {
    onWait: prompt,
    align: page !== undefined,
    onDone: (count) => {
      done += count * communicator.size; // the others are as far
      const most = (document?.lines ?? lines).estimate ?? done;
      progress?.update(Math.min(done, most), [`${rate(done, started)} sentences/s`]);
    },
    placeOf: (index) => own.placeOf(index),
    warn: several ? (message) => warnings.push(message) : undefined,
  };
  const written =
    document === undefined
      ? writtenOf(model.translate(several ? own.of(all) : all, listeners), format, alignment, page)
      : translateParts(document.lines.parts({ ...document, ...model.prose }), (segments) =>
          model.translate(segments, listeners),
        );
  let sentences = 0;
  let tokens = 0;
  for await (const part of several ? inTurn(communicator, written, warnings) : written) {
    if (!(await output.write(part.text))) return;
    sentences += part.sentences;
    tokens += part.tokens;
  }
  progress?.stop();
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  log.info(
    `Translated ${sentences} sentences (${tokens} tokens) in ${seconds} s ` +
      `(${rate(sentences, started)} sentences/s, ${rate(tokens, started)} tokens/s)`,
  );
}

async function* requests(lines: AsyncIterable<string>): AsyncGenerator<LineRequest> {
  let index = 0;
  for await (const line of lines) yield parseRequest(line, index++);
}

async function* writtenOf(
  translations: AsyncIterable<Translation>,
  format: TranslationFormat,
  alignment: AlignmentKind | null,
  page: TranslationPage | undefined,
): AsyncGenerator<Written> {
  for await (const translation of translations) {
    page?.add(translation);
    const tokens = translation.hypotheses[0].tokens.length;
    yield { text: formatTranslation(translation, format, alignment), sentences: 1, tokens };
  }
}

/** Units in a second since `started`. */
function rate(count: number, started: number): string {
  return ((1000 * count) / (performance.now() - started)).toFixed(1);
}
