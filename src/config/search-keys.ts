import { z } from 'zod';
import { free } from './key-facts.js';
import { amount, choice, count, file, flag, positive, whole } from './values.js';

/** Keys of decode that make more of the search than a plain beam. */
export const searchKeys = {
  unk: free(
    choice(
      ['keep', 'forbid', 'replace'],
      'keep',
      'Whether a translation may have <unk>; replace makes it the source word that it is aligned with.',
    ),
  ),
  'no-repeat-ngram-size': free(
    count(0, 'No sequence of so many tokens comes twice in a translation; 0 allows all.'),
    { unit: 'tokens' },
  ),
  'repetition-penalty': free(
    positive()
      .default(1)
      .describe('Log-probabilities of tokens that a translation has already are multiplied by this.'),
  ),
  constraints: free(
    z
      .enum(['ordered', 'unordered'])
      .nullable()
      .default(null)
      .describe(
        'Phrases that a translation must have stand behind each line, parted by tabs; and whether in their order.',
      ),
  ),
  terminology: free(
    file(
      'Source phrases and target phrases, parted by a tab: where a line has one its translation has the other.',
    ),
  ),
  'diverse-beam-groups': free(
    count(1, 'Groups that a beam is parted into, each of which shuns what those before it chose.', 1, 1000),
    { unit: 'groups' },
  ),
  'diverse-beam-strength': free(
    amount().default(0.5).describe('What it costs a group to choose as an earlier one did, in nats.'),
  ),
  sampling: free(flag(false, 'Draw translations (nbest of them) at random, in place of searching the best.')),
  'sampling-topk': free(
    whole(1).nullable().default(null).describe('Draw among so many of the best tokens; null is all.'),
  ),
  'sampling-topp': free(
    z
      .number()
      .gt(0)
      .max(1)
      .nullable()
      .default(null)
      .describe(
        'Draw among the fewest of the best tokens that have this much of the probability; null is all.',
      ),
  ),
  temperature: free(
    positive()
      .default(1)
      .describe('Draw by p^(1/temperature): below 1 the likely is likelier, above 1 less so.'),
  ),
  mbr: free(
    z
      .enum(['chrf', 'bleu'])
      .nullable()
      .default(null)
      .describe(
        'Of all beam translations, found or drawn, take the one that is most like all of them by chrF or BLEU (minimum Bayes risk); null takes the one of the best score.',
      ),
  ),
};
