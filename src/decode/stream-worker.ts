import { parentPort } from 'node:worker_threads';
import { initBackend } from '../backend/init.js';
import { UserError } from '../common/errors.js';
import type { IncrementalDecoder } from '../model/incremental.js';
import { decoderOf } from '../model/shared-decoder.js';
import { type Lane, laneOf } from './continuous-search.js';
import type { Hypothesis } from './search.js';
import { SentenceQueue, searchQueue } from './sentence-queue.js';
import { Shortlist } from './shortlist.js';
import type { StreamData, StreamJob, StreamMessage, StreamSentences } from './streams.js';

/* A further stream of `translate`: it takes sentences until there are none, and waits for the next ones. */

const tell = (message: StreamMessage): void => parentPort!.postMessage(message);

async function open({ shared, shortlist }: StreamData): Promise<IncrementalDecoder> {
  await initBackend('native', 1);
  const list = shortlist === null ? null : new Shortlist(shortlist);
  return decoderOf(shared, list?.candidates.bind(list)).decoder;
}

async function work(decoder: IncrementalDecoder, { queue, options, wishes }: StreamJob): Promise<void> {
  try {
    const found = (place: number, hypotheses: Hypothesis[]): void => tell({ place, hypotheses });
    await searchQueue(decoder, new SentenceQueue(queue), options, found, wishes);
    tell({ done: true });
  } catch (error) {
    tellWhy(error);
  }
}

function tellWhy(error: unknown, lane?: number): void {
  if (!(error instanceof UserError)) throw error;
  tell({ lane, complaints: error.complaints });
}

const lanes = new Map<number, Lane>();

function take(decoder: IncrementalDecoder, { lane, opened, sentences }: StreamSentences): void {
  if (opened !== undefined) {
    const found = (place: number, hypotheses: Hypothesis[]): void => tell({ lane, place, hypotheses });
    const failed = (error: unknown): void => tellWhy(error, lane);
    lanes.set(lane, laneOf(decoder, opened.options, opened.heeding)({ found, failed }));
  }
  lanes.get(lane)!.give(sentences);
}

let decoder: Promise<IncrementalDecoder>;
parentPort!.on('message', async (message: StreamData | StreamJob | StreamSentences) => {
  if ('shared' in message) decoder = open(message);
  else if ('queue' in message) await work(await decoder, message);
  else take(await decoder, message);
});
