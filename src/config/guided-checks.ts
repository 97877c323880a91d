import type { Check } from './check.js';

/** Rules between the keys that train an attention towards given alignments. */
export const guidedChecks: readonly Check[] = [
  {
    keys: ['train.guided-alignment', 'data.align-suffix', 'data.prepared'],
    problem: ({ train, data }) =>
      train.guidedAlignment > 0 && data.alignSuffix === null && !data.prepared
        ? 'train.guided-alignment needs alignments of the training text: expected data.align-suffix, found null'
        : undefined,
    hint: "Set data.align-suffix to align for files PREFIX.align in Pharaoh's format beside the training text.",
  },
  {
    keys: ['train.guided-alignment', 'data.bpe-dropout'],
    problem: ({ train, data }) =>
      train.guidedAlignment > 0 && data.bpeDropout > 0
        ? `train.guided-alignment has links of the pieces that are in the dataset, and data.bpe-dropout makes others in every epoch; found ${data.bpeDropout}`
        : undefined,
    hint: 'Set one of them to 0.',
  },
];
