import * as fs from 'node:fs';
import * as path from 'node:path';
import { makeToyPairs } from '../src/data/toy-language.js';

const config = (updates: number): string => `
preset: tiny
seed: 3
data: { source-lang: toa, target-lang: tob, root: corpus, train: train, valid: valid, test: null, destdir: data-bin }
model: { residual: admin, embed-dim: 16, ffn-embed-dim: 32, attention-heads: 2, encoder: { layers: 2 }, decoder: { layers: 2 } }
decode: { beam: 2, max-len-a: 0, max-len-b: 12 }
train:
  max-tokens: 400
  max-epoch: null
  max-update: ${updates}
  log-interval: 7
  validate-interval-updates: 10
  save-interval-updates: 4
  keep-last: 2
  keep-best: 2
  eval-bleu: true
  ema-decay: 0.9
  average-last: 2
  average-best: 2
`;

/** Writes a toy corpus and config.yaml of a training that takes a second or two, of eight epochs unless told otherwise. */
export function writeTinyTask(folder: string, updates = 60): void {
  writeCorpus(path.join(folder, 'corpus'));
  fs.writeFileSync(path.join(folder, 'config.yaml'), config(updates));
}

function writeCorpus(folder: string): void {
  fs.mkdirSync(folder);
  const pairs = makeToyPairs(340, 1);
  for (const [name, part] of [
    ['train', pairs.slice(0, 300)],
    ['valid', pairs.slice(300)],
  ] as const) {
    for (const language of ['toa', 'tob'] as const) {
      const side = language === 'toa' ? 'source' : 'target';
      fs.writeFileSync(
        path.join(folder, `${name}.${language}`),
        part.map((pair) => `${pair[side]}\n`).join(''),
      );
    }
  }
}
