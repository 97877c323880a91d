import { Worker } from 'node:worker_threads';
import { type Complaint, UserError } from '../../common/errors.js';
import type { DataConfig } from '../../config/schema.js';
import type { StoredPieceModel } from '../../data/preprocess-options.js';
import type { CountedWords } from '../../tokenizer/word-counts.js';
import { buffersOf } from '../../tokenizer/word-table.js';
import { parsePieceModel } from './piece-model.js';

/** What a thread is given: the words of a text, and how to train on them. */
export interface LearnerSetup {
  readonly tokenizer: DataConfig['tokenizer'];
  readonly words: CountedWords;
}

/** What it says: how many pieces were learnt so far; at last the bytes of the .model, or what is wrong. */
export type LearnerAnswer =
  | { readonly pieces: number }
  | { readonly model: Uint8Array }
  | { readonly complaints: readonly Complaint[] };

export interface Watching {
  /** Is told now and then how many pieces were learnt, of all together. */
  readonly see: (pieces: number) => void;
  /** Ends the work, with its reason as the error. */
  readonly signal?: AbortSignal;
}

/**
 * Trains tokenizers, each on a thread, so that this one hears signals: with millions of words it takes minutes.
 *
 * @param texts the words of each; they are handed over
 * @param atOnce how many threads may work at a time
 * @throws UserError as BpeTrainer.train
 */
export async function learnOnThreads(
  tokenizer: DataConfig['tokenizer'],
  texts: readonly CountedWords[],
  atOnce: number,
  { see, signal }: Watching,
): Promise<StoredPieceModel[]> {
  const threads: Worker[] = [];
  const learnt = texts.map(() => 0);
  const learn = (words: CountedWords, i: number): Promise<StoredPieceModel> => {
    const thread = startThread({ tokenizer, words });
    threads.push(thread);
    const seeOne = (pieces: number): void => {
      learnt[i] = pieces;
      see(learnt.reduce((sum, count) => sum + count, 0));
    };
    return modelOf(thread, { see: seeOne, signal });
  };
  try {
    if (atOnce > 1) return await Promise.all(texts.map(learn));
    const models: StoredPieceModel[] = [];
    for (const [i, words] of texts.entries()) models.push(await learn(words, i));
    return models;
  } finally {
    await Promise.all(threads.map((thread) => thread.terminate()));
  }
}

function startThread(setup: LearnerSetup): Worker {
  const { raw, normalized } = setup.words;
  const transferList = [...buffersOf(raw), ...buffersOf(normalized)];
  return new Worker(new URL('./learner-worker.js', import.meta.url), { workerData: setup, transferList });
}

/** What a thread comes to. */
function modelOf(thread: Worker, { see, signal }: Watching): Promise<StoredPieceModel> {
  return new Promise((resolve, reject) => {
    const hear = (answer: LearnerAnswer): void => {
      if ('pieces' in answer) see(answer.pieces);
      else if ('model' in answer) resolve(parsePieceModel(answer.model));
      else reject(new UserError(answer.complaints));
    };
    thread
      .on('message', hear)
      .on('error', reject)
      .on('exit', (code) => reject(new Error(`a thread that learns a tokenizer ended with code ${code}`)));
    const stop = (): void => reject(signal!.reason);
    signal?.addEventListener('abort', stop, { once: true });
    if (signal?.aborted) stop();
  });
}
