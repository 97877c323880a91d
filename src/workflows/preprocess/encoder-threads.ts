import type { PairBytes } from '../../data/pair-bytes.js';
import type { EncodedPairs, EncoderOptions } from '../../data/pair-encoder.js';
import { type BlockEncoder, type EncoderSetup, encodeHere } from '../../data/preprocess-options.js';
import { BlockThreads, threadsFor } from './block-threads.js';

/** What a thread is given first. */
export interface EncoderThreadSetup {
  /** Of source and target; the target has none where it is that of the source. */
  readonly models: readonly [Uint8Array, Uint8Array?];
  readonly numbers: readonly Int32Array[];
  /** The bytes of each dict.txt, where numbers are those of a given dictionary. */
  readonly dictionaries: readonly (Uint8Array | undefined)[];
  readonly options: EncoderOptions;
}

/**
 * Encodes on as many threads as the text is worth.
 *
 * @param most threads; by default as many as this process may use
 */
export function startEncoder(setup: EncoderSetup, most: number | null): BlockEncoder {
  const threads = threadsFor(setup.files, most);
  return threads > 1 ? encodeOnThreads(setup, threads) : encodeHere(setup);
}

/** Encodes on threads. */
export function encodeOnThreads({ sides, options }: EncoderSetup, count: number): BlockEncoder {
  const [source, target] = sides;
  const bytes = source.model.serialize();
  const setup: EncoderThreadSetup = {
    models: source.model === target.model ? [bytes] : [bytes, target.model.serialize()],
    numbers: sides.map(({ numbering }) => numbering.numbers),
    dictionaries: sides.map(({ numbering: { given } }) => given && Buffer.from(given.serialize())),
    options,
  };
  const threads = new BlockThreads<EncodedPairs>(
    new URL('./encoder-worker.js', import.meta.url),
    setup,
    count,
  );
  return {
    width: threads.width,
    encode: (block: PairBytes) => threads.work(block),
    close: () => threads.close(),
  };
}
