import { z } from 'zod';
import { changeable, free } from './key-facts.js';
import { choice, file, whole } from './values.js';

/** `<unk>` becomes nothing else. */
const forUnk = { idle: { 'decode.unk': ['keep', 'forbid'] } };

/** No alignment is written. */
const forAlignment = { idle: { 'decode.alignment': [null] } };

/** Nothing is aligned: neither is that written, nor does it say what `<unk>` becomes, nor is it trained. */
const forAttention = {
  idle: { ...forAlignment.idle, ...forUnk.idle, 'train.guided-alignment': [0] },
  idleTogether: true,
};

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
  'alignment-unit': free(
    choice(['word', 'piece'], 'word', 'Whether words are aligned, or pieces.'),
    forAlignment,
  ),
  // Of training, too, with train.guided-alignment.
  'alignment-layer': changeable(
    whole(1)
      .nullable()
      .default(null)
      .describe(
        'Layer of the decoder, from 1, by whose attention is aligned; null takes the last but one, of fewer than three the last.',
      ),
    forAttention,
  ),
  'alignment-head': changeable(
    whole(1).nullable().default(null).describe('Its head, from 1; null takes the mean of all heads.'),
    forAttention,
  ),
  'unk-dictionary': free(
    file(
      'What <unk> becomes with unk: replace: source words and what they become, parted by a tab; others are copied.',
    ),
    forUnk,
  ),
};
