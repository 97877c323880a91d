import type { DataConfig } from '../../config/schema.js';
import type { CleanOptions } from '../../data/clean.js';
import type { LineDraw } from '../../data/line-sample.js';
import { type BlockCounter, type CounterSetup, countHere } from '../../data/preprocess-options.js';
import type { CountedWords } from '../../tokenizer/word-counts.js';
import { BlockThreads, threadsFor } from './block-threads.js';
import { learnOnThreads } from './learner-threads.js';
import { type DividedTrainer, startPieceTrainer } from './piece-model.js';

/** What a thread is given first. */
export interface CounterThreadSetup {
  readonly tokenizer: DataConfig['tokenizer'];
  readonly joint: boolean;
  readonly clean: CleanOptions;
  readonly drawn?: LineDraw;
}

/** What a thread has counted. */
export interface CounterAnswer {
  readonly pairs: number;
  /** Words of all blocks since it last had them: of source and target, or of both together. */
  readonly words?: readonly CountedWords[];
}

/**
 * Counts the words that tokenizers are trained on, on as many threads as the text is worth.
 *
 * @param most threads; by default as many as this process may use
 */
export function startCounter(
  tokenizer: DataConfig['tokenizer'],
  setup: CounterSetup,
  most: number | null,
): BlockCounter {
  const threads = threadsFor(setup.files, most);
  if (threads > 1) return countOnThreads(tokenizer, setup, threads);
  const trainers: DividedTrainer[] = [];
  const start = (): DividedTrainer => {
    const trainer = startPieceTrainer(tokenizer);
    trainers.push(trainer);
    return trainer;
  };
  const counter = countHere(start, setup);
  // Of a long text it takes minutes, while which signals are to be heard.
  return threadsFor(setup.files, 2) > 1 ? { ...counter, train: trainerOf(tokenizer, trainers, 1) } : counter;
}

/** Has what trainers have counted learnt on threads. @param atOnce how many of them at a time */
function trainerOf(
  tokenizer: DataConfig['tokenizer'],
  trainers: readonly DividedTrainer[],
  atOnce: number,
): BlockCounter['train'] {
  return async (see, signal) => {
    const words = trainers.map((trainer) => trainer.take());
    const [source, target = source] = await learnOnThreads(tokenizer, words, atOnce, { see, signal });
    return [source, target];
  };
}

/** Counts on threads: each hands its counts over before there are many, and this one adds them up; then others learn. */
export function countOnThreads(
  tokenizer: DataConfig['tokenizer'],
  { joint, clean, drawn }: CounterSetup,
  count: number,
): BlockCounter {
  const trainers = Array.from({ length: joint ? 1 : 2 }, () => startPieceTrainer(tokenizer));
  const setup: CounterThreadSetup = { tokenizer, joint, clean, drawn };
  const threads = new BlockThreads<CounterAnswer>(
    new URL('./counter-worker.js', import.meta.url),
    setup,
    count,
  );
  const learn = trainerOf(tokenizer, trainers, count);
  const add = ({ words }: CounterAnswer): void => {
    words?.forEach((counted, side) => {
      trainers[side].give(counted);
    });
  };
  return {
    width: threads.width,
    async add(block) {
      const answer = await threads.work(block);
      add(answer);
      return answer.pairs;
    },
    async train(see, signal) {
      for (const answer of await threads.finish()) add(answer);
      await threads.close(); // learning wants the memory
      return learn(see, signal);
    },
    close: () => threads.close(),
  };
}
