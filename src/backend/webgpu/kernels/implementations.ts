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

/** The kernels of the contract that there are; for any other its composite runs on the device. */
export const IMPLEMENTATIONS: Partial<Implementations> = {
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
