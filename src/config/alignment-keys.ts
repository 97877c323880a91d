import { z } from 'zod';
import { changeable, free } from './key-facts.js';
import { choice, file, whole } from './values.js';

/** Nothing is aligned: neither is that printed, nor does it say what `<unk>` becomes. */
const forUnk = { idle: { 'decode.unk': ['keep', 'forbid'] } };

/** Keys of decode about what of a translation goes with what of its source. */
export const alignmentKeys = {
  alignment: free(
    z
      .enum(['hard', 'soft'])
      .nullable()
      .default(null)
      .describe(
        'What of the source goes with what of the translation, beside it: links, or how much attends to what.',
      ),
  ),
  'alignment-unit': free(choice(['word', 'piece'], 'word', 'Whether words are aligned, or pieces.')),
  // Of training, too, with train.guided-alignment.
  'alignment-layer': changeable(
    whole(1)
      .nullable()
      .default(null)
      .describe(
        'Layer of the decoder, from 1, by whose attention is aligned; null takes the last but one, of fewer than three the last.',
      ),
  ),
  'alignment-head': changeable(
    whole(1).nullable().default(null).describe('Its head, from 1; null takes the mean of all heads.'),
  ),
  'unk-dictionary': free(
    file(
      'What <unk> becomes with unk: replace: source words and what they become, parted by a tab; others are copied.',
    ),
    forUnk,
  ),
};
