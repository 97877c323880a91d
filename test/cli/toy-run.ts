import type { PartialConfig } from '../../src/config/schema.js';

/** A config that trains a tiny model on a toy corpus in the same folder: in `run`, its dataset in `data-bin`. */
export function toyConfig(train: PartialConfig['train'], decode: PartialConfig['decode']): PartialConfig {
  return {
    backend: 'cpu',
    preset: 'tiny',
    data: { 'source-lang': 'toa', 'target-lang': 'tob', train: 'train', valid: 'valid', destdir: 'data-bin' },
    model: {
      'embed-dim': 8,
      'ffn-embed-dim': 8,
      'attention-heads': 2,
      encoder: { layers: 1 },
      decoder: { layers: 1 },
    },
    train: { 'save-dir': 'run', ...train },
    decode: { 'max-len-a': 0, 'max-len-b': 4, ...decode },
  };
}
