import { parentPort } from 'node:worker_threads';
import { UserError } from '../../common/errors.js';
import type { PairBytes } from '../../data/pair-bytes.js';
import type { ThreadAnswer } from './block-threads.js';

/**
 * What a thread of `preprocess` does: it answers the blocks that it is sent, one after the other.
 *
 * @param work gives the answer to a block, and the memory in it that is handed over; a block of nothing is the last
 */
export function answerBlocks<Result>(
  work: (block: PairBytes) => { result: Result; memory: readonly ArrayBufferLike[] },
): void {
  const answer = (message: ThreadAnswer<Result>, memory: readonly ArrayBufferLike[] = []): void =>
    parentPort!.postMessage(message, memory as ArrayBuffer[]);
  parentPort!.on('message', (block: PairBytes) => {
    try {
      const { result, memory } = work(block);
      answer({ result }, memory);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      answer({ complaints: error.complaints });
    }
  });
}
