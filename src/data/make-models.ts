import { log } from '../common/log.js';
import { startProgress } from '../common/progress.js';
import { EOS } from './dictionary.js';
import { drawLines, type LineDraw } from './line-sample.js';
import type { PairBytes } from './pair-bytes.js';
import type { EncodedPairs } from './pair-encoder.js';
import { filesOf } from './parallel-text.js';
import {
  type BlockCounter,
  encodeHere,
  type PreprocessOptions,
  type StoredPieceModel,
  type VocabularySource,
} from './preprocess-options.js';
import type { TextPart } from './text-parts.js';
import type { TextReader } from './text-reader.js';

type Models = readonly [source: StoredPieceModel, target: StoredPieceModel];

/**
 * The tokenizers of source and target: those given, or what is trained on the training text. Where there is a vocabulary threshold, each of them
 * has of a tokenizer of both languages only the pieces that its side of the training text has often enough.
 */
export async function makeModels(
  options: PreprocessOptions,
  training: readonly TextPart[],
  reader: TextReader,
): Promise<Models> {
  const { vocabulary, vocabularyThreshold = 0 } = options;
  const isSettled = vocabulary.kind === 'given' && vocabulary.dictionaries !== undefined;
  const models =
    vocabulary.kind === 'given' ? vocabulary.models : await train(vocabulary, options, training, reader);
  return isSettled || vocabularyThreshold === 0 ? models : restrict(models[0], options, training, reader);
}

async function train(
  { start, sentences }: VocabularySource & { kind: 'trained' },
  { joint, clean, signal }: PreprocessOptions,
  training: readonly TextPart[],
  reader: TextReader,
): Promise<Models> {
  const drawn =
    sentences === undefined ? undefined : await drawTrainingLines(sentences, joint, training, reader);
  const counter = start({ joint, clean, files: filesOfAll(training), drawn });
  try {
    const add = (block: PairBytes) => counter.add(block);
    await reader.count(training, 'Reading', add, counter.width);
    return await learn(counter, joint, signal);
  } finally {
    await counter.close();
  }
}

/** Without an end in sight: the first pieces take as long as thousands of later ones, and before them words are put in order. */
async function learn(counter: BlockCounter, joint: boolean, signal?: AbortSignal): Promise<Models> {
  const label = `Learning the ${joint ? 'tokenizer' : 'tokenizers'}`;
  const progress = startProgress({ label, unit: 'pieces' });
  try {
    return await counter.train((pieces) => progress.update(pieces), signal);
  } finally {
    progress.stop();
  }
}

/** Which lines a tokenizer is trained on: of both sides together, or as many of each side as of the other. */
async function drawTrainingLines(
  wanted: number,
  joint: boolean,
  training: readonly TextPart[],
  reader: TextReader,
): Promise<LineDraw> {
  const pairs = await reader.count(training, 'Counting', ([{ ends }]) => ends.length, 1);
  return drawLines(joint ? 2 * pairs : pairs, wanted);
}

/** What each side may have of a tokenizer of both; tags, which no text need have, stay. */
async function restrict(
  model: StoredPieceModel,
  options: PreprocessOptions,
  training: readonly TextPart[],
  reader: TextReader,
): Promise<Models> {
  const { vocabularyThreshold: least = 0, sourceLang, targetLang, texts } = options;
  const counts = await countPieces(model, options, training, reader);
  const tags = new Set([...training.map(({ tag }) => tag), texts.validTag ?? null]);
  const [source, target] = counts.map((count) =>
    model.restricted((piece, id) => count[id] >= least || tags.has(piece)),
  );
  for (const [language, { symbols }] of [
    [sourceLang, source],
    [targetLang, target],
  ] as const)
    log.info(`${language} is given ${sizeOf(symbols)} of ${sizeOf(model.symbols)} pieces`);
  return [source, target];
}

const sizeOf = (symbols: StoredPieceModel['symbols']): number =>
  symbols.filter((symbol) => symbol !== undefined).length;

/** How often each side of the training text has each piece, filters aside: they count tokens, which follow from it. */
async function countPieces(
  model: StoredPieceModel,
  { clean, startEncoder = encodeHere }: PreprocessOptions,
  training: readonly TextPart[],
  reader: TextReader,
): Promise<[source: Float64Array, target: Float64Array]> {
  const counts: [Float64Array, Float64Array] = [
    new Float64Array(model.symbols.length),
    new Float64Array(model.symbols.length),
  ];
  const add = ({ pairs, sides }: EncodedPairs): number => {
    sides.forEach(({ ids, ends }, side) => {
      for (const id of ids) counts[side][id]++;
      counts[side][EOS] -= ends.length;
    });
    return pairs;
  };
  const side = { model, numbering: { numbers: Int32Array.from(model.symbols, (_, id) => id) } };
  const encoder = startEncoder({ sides: [side, side], options: { clean }, files: filesOfAll(training) });
  try {
    const work = async (block: PairBytes): Promise<number> => add(await encoder.encode(block));
    await reader.count(training, 'Counting pieces of', work, encoder.width);
  } finally {
    await encoder.close();
  }
  return counts;
}

const filesOfAll = (training: readonly TextPart[]): string[] =>
  training.flatMap(({ texts }) => texts.flatMap(filesOf));
