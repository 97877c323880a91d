import { parentPort, workerData } from 'node:worker_threads';
import { Transformer } from '../../src/model/transformer.js';
import { tf } from '../../src/ops/tf.js';
import type { WriteJob } from '../../src/train/saver.js';
import { INITIAL_STATE } from '../../src/train/state.js';
import { type RankTask, threadRank } from './thread-ranks.js';
import { trainTiny, useBackend } from './tiny.js';
import { writeWarm } from './warm-saver.js';

/** One rank of a training of ranks that are threads. */
const { rank, size, shared, backend, folder, run, interrupt, spoilt, refused } = workerData as RankTask;
await useBackend(backend, 1);
let asked = 0;
const communicator = threadRank(shared, rank, size);
const interrupted = () => (interrupt?.rank === rank && asked++ >= interrupt.after ? 'SIGTERM' : undefined);
let jobs = 0;
const write: WriteJob = async (job, values) => {
  jobs++;
  if (refused === undefined || jobs < refused[0] || jobs > refused[1]) return await writeWarm(job, values);
  return { message: 'no space left', refused: true };
};
const options = { ...run.options, communicator, interrupted, write, retryAfter: 0 };
if (spoilt === rank) {
  const create = Transformer.create.bind(Transformer);
  Transformer.create = (...args) => {
    const model = create(...args);
    const [weight] = model.trainable;
    weight.assign(tf.add(weight, 1e-6));
    return model;
  };
}
try {
  const { reason } = await trainTiny(folder, { ...run, options, state: INITIAL_STATE });
  parentPort!.postMessage(reason);
} catch (error) {
  const { name, message } = error as Error;
  parentPort!.postMessage(`${name}: ${message}`);
}
