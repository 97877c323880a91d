import type { DataConfig } from '../../config/schema.js';
import type { CleanOptions } from '../../data/clean.js';
import type { LineDraw } from '../../data/line-sample.js';
import { type BlockCounter, type CounterSetup, countHere } from '../../data/preprocess-options.js';
import type { CountedWords } from '../../tokenizer/word-counts.js';
import { BlockThreads, threadsFor } from './block-threads.js';
import { startPieceTrainer } from './piece-model.js';

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
  return threads > 1
    ? countOnThreads(tokenizer, setup, threads)
    : countHere(() => startPieceTrainer(tokenizer), setup);
}

/** Counts on threads: each hands its counts over before there are many, and this one adds them up. */
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
    async finish() {
      for (const answer of await threads.finish()) add(answer);
      const [source, target = source] = trainers;
      return [source, target];
    },
    close: () => threads.close(),
  };
}
