import { UserError } from '../common/errors.js';
import { UNK } from './dictionary.js';
import { filesOf } from './parallel-text.js';
import type { PreprocessOptions } from './preprocess-options.js';
import type { SplitWriter } from './split-writer.js';
import type { PieceModel, SymbolTable } from './symbol-table.js';
import type { TextPart } from './text-parts.js';

/** The number of the tag of a corpus. @throws UserError where it is none of the tokenizer, or has no number */
export function findTag(
  { tag, name }: TextPart,
  { model, table }: { model: PieceModel; table: SymbolTable },
  vocabulary: PreprocessOptions['vocabulary'],
): number | undefined {
  if (tag === null) return undefined;
  const id = model.symbols.indexOf(tag);
  const number = id === -1 ? UNK : table.numbering.numbers[id];
  if (number !== UNK) return number;
  const given = vocabulary.kind === 'given' ? vocabulary.files[0]?.path : undefined;
  const what = name === undefined ? 'data.valid-tag' : `data.train: the tag of the corpus '${name}'`;
  throw new UserError({
    problem: `${what} must be one piece of the tokenizer and its dictionary; found no piece '${tag}'`,
    where: given ?? 'data.tokenizer',
    hint:
      vocabulary.kind === 'trained'
        ? 'A control symbol is none, for text cannot have it: take it out of data.tokenizer.control-symbols.'
        : 'A tokenizer that is trained here gets the tags as pieces: leave data.tokenizer.model, data.vocabulary-from and --append out; or leave the tag out.',
  });
}

/** That the filter leaves nothing of a part. */
export function allDropped(
  { pairs, dropped }: Pick<SplitWriter, 'pairs' | 'dropped'>,
  { name, texts }: TextPart,
): UserError {
  const reasons = Object.entries(dropped).filter(([, count]) => count > 0);
  const what = name === undefined ? 'data.filter' : `the filter of the corpus '${name}'`;
  return new UserError({
    problem: `expected training pairs, but ${what} drops all ${pairs} (${reasons.map(([reason, count]) => `${reason}: ${count}`).join(', ')})`,
    where: filesOf(texts[0])[0],
    hint: 'Loosen data.filter, or check that the files are the right ones.',
  });
}
