import { UserError } from '../common/errors.js';
import { readLines } from '../data/text-source.js';
import { FairseqList } from './fairseq-list.js';
import type { GivenUnit } from './forced-scores.js';
import type { GivenList, ListCodec, ListOptions, Sources } from './given-list.js';
import { JsonlList } from './jsonl-list.js';
import { NbestList } from './nbest-list.js';

/**
 * The translations of a list of Moses, Marian, fairseq or `translate -f jsonl`, told by its first line.
 *
 * @param file plain or .gz; `-` is standard input
 * @param source null where none is given: that is then the list's own, which only jsonl has
 * @throws UserError for what is no such list, by `file:line`
 */
export async function* readList(
  file: string,
  source: Sources | null,
  codec: ListCodec,
  options: ListOptions,
): AsyncGenerator<GivenUnit> {
  const name = file === '-' ? 'standard input' : file;
  let list: GivenList | undefined;
  let number = 0;
  for await (const text of readLines(file)) {
    list ??= listOf(text, source, codec, options);
    yield* await list.line({ text, where: `${name}:${++number}` });
  }
  yield* list?.end() ?? [];
}

/** Tells the format by the first line. */
function listOf(first: string, source: Sources | null, codec: ListCodec, options: ListOptions): GivenList {
  if (first.startsWith('{')) return new JsonlList(source, codec, options);
  if (source === null)
    throw new UserError({
      problem: 'expected the text that was translated, found no --source',
      where: '--nbest',
      hint: 'Give it with --source FILE; only what translate --format jsonl writes has it in itself.',
    });
  return /^[A-Z]-\d+\t/.test(first)
    ? new FairseqList(source, codec, options)
    : new NbestList(source, codec, options);
}
