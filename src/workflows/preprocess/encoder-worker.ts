import { workerData } from 'node:worker_threads';
import { Dictionary } from '../../data/dictionary.js';
import { PairEncoder } from '../../data/pair-encoder.js';
import { answerBlocks } from './answer-blocks.js';
import type { EncoderThreadSetup } from './encoder-threads.js';
import { parsePieceModel } from './piece-model.js';

/* A thread that encodes. */

const { models, numbers, dictionaries, options } = workerData as EncoderThreadSetup;
const source = parsePieceModel(models[0]);
const target = models[1] === undefined ? source : parsePieceModel(models[1]);
const [left, right] = dictionaries.map(
  (bytes) => bytes && Dictionary.parse(Buffer.from(bytes), 'a dictionary'),
);
const encoder = new PairEncoder(
  [
    { model: source, numbering: { numbers: numbers[0], given: left } },
    { model: target, numbering: { numbers: numbers[1], given: right } },
  ],
  options,
);

answerBlocks((block) => {
  const result = encoder.encode(block);
  const lists = [...result.sides, ...(result.links === undefined ? [] : [result.links])];
  return { result, memory: lists.map(({ ids }) => ids.buffer) };
});
