import { parentPort, workerData } from 'node:worker_threads';
import { initBackend } from '../backend/init.js';
import { UserError } from '../common/errors.js';
import { decoderOf } from '../model/shared-decoder.js';
import { SentenceQueue, searchQueue } from './sentence-queue.js';
import { Shortlist } from './shortlist.js';
import type { StreamData, StreamJob, StreamMessage } from './streams.js';

/* A further stream of `translate`: it takes sentences until there are none, and waits for the next ones. */

const { shared, shortlist } = workerData as StreamData;
const tell = (message: StreamMessage): void => parentPort!.postMessage(message);

await initBackend('native', 1);
const list = shortlist === null ? null : new Shortlist(shortlist);
const { decoder } = decoderOf(shared, list?.candidates.bind(list));
const work = async ({ queue, options }: StreamJob): Promise<void> => {
  try {
    await searchQueue(decoder, new SentenceQueue(queue), options, (place, hypotheses) =>
      tell({ place, hypotheses }),
    );
    tell({ done: true });
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    tell({ complaints: error.complaints });
  }
};
parentPort!.on('message', work); // what came before is heard now
