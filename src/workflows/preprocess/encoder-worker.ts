import { parentPort, workerData } from 'node:worker_threads';
import { UserError } from '../../common/errors.js';
import { Dictionary } from '../../data/dictionary.js';
import type { PairBytes } from '../../data/pair-bytes.js';
import { PairEncoder } from '../../data/pair-encoder.js';
import type { ThreadAnswer, ThreadSetup } from './encoder-threads.js';
import { parsePieceModel } from './piece-model.js';

/* A thread of `preprocess`: it encodes the blocks that it is sent, one after the other. */

const { models, numbers, dictionaries, options } = workerData as ThreadSetup;
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

parentPort!.on('message', (block: PairBytes) => {
  const answer = encode(block);
  const arrays = 'encoded' in answer ? answer.encoded.sides.map(({ ids }) => ids.buffer as ArrayBuffer) : [];
  parentPort!.postMessage(answer, arrays);
});

function encode(block: PairBytes): ThreadAnswer {
  try {
    return { encoded: encoder.encode(block) };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { complaints: error.complaints };
  }
}
