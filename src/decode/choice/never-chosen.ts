import { BOS, PAD, UNK } from '../../data/dictionary.js';
import type { SearchOptions } from '../search-options.js';

/**
 * What no translation may hold, however it is chosen; it keeps its share of the probability. `<s>` is what no text that is trained on has, so
 * that a sample may be the first to draw it; fairseq's search forbids `<pad>` alone.
 */
export function neverChosen(unk: SearchOptions['unk']): readonly number[] {
  return unk === 'forbid' ? FORBIDDEN_WITH_UNK : FORBIDDEN;
}

const FORBIDDEN = [BOS, PAD];
const FORBIDDEN_WITH_UNK = [...FORBIDDEN, UNK];
