import { workerData } from 'node:worker_threads';
import { PieceCounter } from '../../data/piece-counter.js';
import type { CountedWords } from '../../tokenizer/word-counts.js';
import { buffersOf } from '../../tokenizer/word-table.js';
import { answerBlocks } from './answer-blocks.js';
import type { CounterAnswer, CounterThreadSetup } from './counter-threads.js';
import { startPieceTrainer } from './piece-model.js';

/* A thread that counts the words that a tokenizer is trained on. */

/** Text that is counted before the counts are handed over: they bound the memory of a thread. */
const MOST_BYTES = 2 ** 25;

const { tokenizer, joint, clean, drawn } = workerData as CounterThreadSetup;
const trainers = Array.from({ length: joint ? 1 : 2 }, () => startPieceTrainer(tokenizer));
const counter = new PieceCounter([trainers[0], trainers.at(-1)!], clean, drawn);
let bytes = 0;

answerBlocks((block): { result: CounterAnswer; memory: ArrayBufferLike[] } => {
  const isLast = block.length === 0;
  const pairs = isLast ? 0 : counter.add(block);
  for (const side of block) bytes += side.bytes.length;
  if (!isLast && bytes < MOST_BYTES) return { result: { pairs }, memory: [] };
  bytes = 0;
  const words = trainers.map((trainer) => trainer.take());
  const memory = words.flatMap(({ raw, normalized }: CountedWords) => [
    ...buffersOf(raw),
    ...buffersOf(normalized),
  ]);
  return { result: { pairs, words }, memory };
});
