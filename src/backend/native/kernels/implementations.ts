import { ATTENTION } from './attention.js';
import type { Implementations } from './call.js';
import { CROSS_ENTROPY } from './cross-entropy.js';
import { DECODING } from './decoding.js';
import { ELEMENTWISE } from './elementwise.js';
import { EMBEDDING } from './embedding.js';
import { FEED_FORWARD } from './feed-forward.js';
import { LINEAR } from './linear.js';
import { OPTIMIZER } from './optimizer.js';
import { RESIDUAL } from './residual.js';

/** Every kernel of the contract. */
export const IMPLEMENTATIONS: Omit<Implementations, 'LayTogether' | 'AddLists'> = {
  ...LINEAR,
  ...FEED_FORWARD,
  ...RESIDUAL,
  ...ATTENTION,
  ...EMBEDDING,
  ...CROSS_ENTROPY,
  ...OPTIMIZER,
  ...DECODING,
  ...ELEMENTWISE,
};
