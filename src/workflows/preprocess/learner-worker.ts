import { parentPort, workerData } from 'node:worker_threads';
import { UserError } from '../../common/errors.js';
import type { LearnerAnswer, LearnerSetup } from './learner-threads.js';
import { startPieceTrainer } from './piece-model.js';

/* A thread that learns a tokenizer. */

/** Milliseconds between two words of how far it is. */
const BETWEEN_WORDS = 200;

const say = (answer: LearnerAnswer): void => parentPort!.postMessage(answer);
const { tokenizer, words } = workerData as LearnerSetup;

let said = performance.now();
say({ pieces: 0 }); // the words are put in order first, half of the time
const see = (pieces: number): void => {
  if (performance.now() - said < BETWEEN_WORDS) return;
  said = performance.now();
  say({ pieces });
};

try {
  const trainer = startPieceTrainer(tokenizer);
  trainer.give(words);
  say({ model: trainer.train(see).serialize() });
} catch (error) {
  if (!(error instanceof UserError)) throw error;
  say({ complaints: error.complaints });
}
