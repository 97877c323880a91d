import { Purpose, RandomStream } from '../../common/rng.js';
import { after } from '../hypothesis.js';
import type { Preferences } from '../search-options.js';
import type { Choice } from './choice.js';
import { draw } from './sample.js';

/**
 * Draws one token for each sample, which is a group of its own. The numbers are functions of the seed, the line, the sample and
 * the step alone: a line has the same samples in any batch and on any thread.
 */
export function sampled(options: Preferences): Choice {
  const { seed = 1 } = options;
  return ({ groups, line, length }, group, probabilities) => {
    const [parent] = group.live;
    if (parent === undefined) return [];
    const key = { seed, step: line, purpose: Purpose.sampling, site: groups.indexOf(group) };
    const logProbs = probabilities(parent);
    const token = draw(logProbs, new RandomStream(key).at(length) / 2 ** 32, options);
    return token < 0 ? [] : [after(parent, token, logProbs[token])];
  };
}
