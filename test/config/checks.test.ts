import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { findIdleKeys, findViolations } from '../../src/config/checks.js';
import { configKeys } from '../../src/config/keys.js';
import { loadConfig } from '../../src/config/load.js';
import { configSchema, type PartialConfig } from '../../src/config/schema.js';

const violations = (config: PartialConfig, skipped: string[] = []): string[] =>
  findViolations(configSchema.parse(config), new Set(skipped)).map(({ problem }) => problem);

/** A config that breaks each rule, the same a little changed that keeps it, and what is said. */
const RULES: readonly [broken: PartialConfig, kept: PartialConfig, said: RegExp][] = [
  [
    { decode: { sampling: true, 'diverse-beam-groups': 5 } },
    { decode: { 'diverse-beam-groups': 5 } },
    /decode\.sampling draws each translation by itself/,
  ],
  [
    { decode: { 'sampling-topk': 10 } },
    { decode: { 'sampling-topk': 10, sampling: true } },
    /are about decode\.sampling, which is false/,
  ],
  [
    { decode: { beam: 5, 'diverse-beam-groups': 2 } },
    { decode: { beam: 6, 'diverse-beam-groups': 2 } },
    /multiple of decode\.diverse-beam-groups; found 5 and 2/,
  ],
  [
    { decode: { 'diverse-beam-strength': 1 } },
    { decode: { 'diverse-beam-strength': 1, 'diverse-beam-groups': 5 } },
    /strength is about decode\.diverse-beam-groups, which is 1; found 1/,
  ],
  [
    { decode: { constraints: 'ordered', sampling: true } },
    { decode: { constraints: 'ordered' } },
    /are found by a beam; found decode\.sampling/,
  ],
  [
    { model: { 'attention-heads': 7 } },
    { model: { 'attention-heads': 4 } },
    /multiple of model\.attention-heads; found 512 and 7/,
  ],
  [
    { model: { 'embed-dim': 9, 'attention-heads': 3 } },
    { model: { 'embed-dim': 9, 'attention-heads': 3, positions: 'learned' } },
    /even model\.embed-dim; found 9/,
  ],
  [
    { model: { 'embed-dim': 65536, 'ffn-embed-dim': 65536, encoder: { layers: 1 }, decoder: { layers: 1 } } },
    { model: { 'embed-dim': 16384, 'ffn-embed-dim': 65536, encoder: { layers: 10 } } },
    /expected matrices of at most 8\.00 GiB; found 48\.00 GiB, in 1 \+ 1 layers of width 65536/,
  ],
  [
    { model: { 'embed-dim': 8192, encoder: { layers: 10000 } } },
    { model: { 'embed-dim': 512, encoder: { layers: 10000 } } },
    /expected layers of at most 256\.00 GiB; found 11262\.75 GiB, in 10000 \+ 6 layers/,
  ],
  [
    { data: { tokenizer: { joint: false } } },
    { data: { tokenizer: { joint: false } }, model: { 'share-embeddings': 'decoder' } },
    /needs one dictionary/,
  ],
  [
    { data: { tokenizer: { joint: false } } },
    { data: { tokenizer: { joint: false }, prepared: true } },
    /needs one dictionary/,
  ],
  [
    { data: { 'source-lang': 'de', 'target-lang': 'de' } },
    { data: { 'source-lang': 'de', 'target-lang': 'en' } },
    /expected two languages; found 'de'/,
  ],
  [
    { data: { filter: { 'min-length': 9, 'max-length': 8 } } },
    { data: { filter: { 'min-length': 8, 'max-length': 8 } } },
    /found 9 and 8/,
  ],
  [
    { train: { 'lr-scheduler': 'cosine' } },
    { train: { 'lr-scheduler': 'cosine', 'max-update': 5000 } },
    /cosine needs train\.max-update/,
  ],
  [
    { train: { 'lr-scheduler': 'linear', 'max-update': 4000 } },
    { train: { 'lr-scheduler': 'linear', 'max-update': 4001 } },
    /less than train\.max-update; found 4000 and 4000/,
  ],
  [
    { train: { 'min-lr': 1, lr: 1 } },
    { train: { 'min-lr': 0.5, lr: 1 } },
    /min-lr to be less than train\.lr/,
  ],
  [{ train: { memory: '8Q' } }, { train: { memory: '8G' } }, /expected a size such as 8G/],
  [
    { train: { 'batch-tokens': 9999, 'update-freq': 2 } },
    { train: { 'batch-tokens': 9999, 'update-freq': 1 } },
    /follows from train\.batch-tokens; found 2 and 9999/,
  ],
  [
    { train: { 'best-checkpoint-metric': 'bleu' } },
    { train: { 'best-checkpoint-metric': 'bleu', 'eval-bleu': true } },
    /found by bleu/,
  ],
  [
    { train: { 'average-last': 4, 'keep-last': 3 } },
    { train: { 'average-last': 3, 'keep-last': 3 } },
    /as many checkpoints as train\.average-last averages; found 3 and 4/,
  ],
  [
    { train: { 'average-last': 2, 'keep-last': 0, 'save-interval': 0 } },
    { train: { 'average-last': 1, 'keep-last': 0, 'save-interval': 0 } },
    /averages checkpoints saved on the way/,
  ],
  [
    { train: { 'validate-weights': 'ema' } },
    { train: { 'validate-weights': 'ema', 'ema-decay': 0.999 } },
    /expected train\.ema-decay/,
  ],
  [{ train: { grow: 'stack' } }, { train: { grow: 'stack', 'init-from': 'run' } }, /needs train\.init-from/],
  [
    { train: { grow: 'stack', 'init-from': 'run', 'reset-optimizer': false } },
    { train: { grow: 'none', 'init-from': 'run', 'reset-optimizer': false } },
    /needs train\.reset-optimizer/,
  ],
  [
    { train: { 'average-best': 4, 'keep-best': 3 } },
    { train: { 'average-best': 3, 'keep-best': 3 } },
    /as many checkpoints as train\.average-best averages; found 3 and 4/,
  ],
  [
    { train: { patience: 3, 'validate-interval': 0 } },
    { train: { patience: 3, 'validate-interval': 0, 'validate-interval-updates': 100 } },
    /patience counts validations/,
  ],
  [{ decode: { beam: 2, nbest: 3 } }, { decode: { beam: 3, nbest: 3 } }, /found 3 and 2/],
  [
    { decode: { ensemble: ['a'], 'ensemble-weights': [1] } },
    { decode: { ensemble: ['a'], 'ensemble-weights': [1, 0.5] } },
    /for the run and each of decode\.ensemble, 2; found 1/,
  ],
  [
    { decode: { beam: 2, nbest: 3, sampling: true, mbr: 'chrf' } },
    { decode: { beam: 2, nbest: 3, sampling: true } },
    /found 3 and 2/,
  ],
  [
    { decode: { mbr: 'bleu', beam: 1 } },
    { decode: { mbr: 'bleu', beam: 2 } },
    /mbr chooses among .* found decode\.beam: 1/,
  ],
  [
    { decode: { 'max-len-a': 0, 'max-len-b': 3, 'min-len': 4 } },
    { decode: { 'max-len-a': 0, 'max-len-b': 4, 'min-len': 4 } },
    /found 3 and 4/,
  ],
];

describe('rules between keys', () => {
  for (const [broken, kept, said] of RULES) {
    test(said.source, () => {
      const found = violations(broken);
      assert.equal(found.length, 1, found.join('\n'));
      assert.match(found[0], said);
      assert.deepEqual(violations(kept), []);
    });
  }

  test('their keys exist', () => {
    for (const [broken] of RULES) {
      for (const { keys } of findViolations(configSchema.parse(broken), new Set())) {
        for (const key of keys) assert.ok(configKeys.has(key), key);
      }
    }
  });

  test('a rule is skipped when one of its keys is', () => {
    assert.deepEqual(violations({ decode: { beam: 2, nbest: 3 } }, ['decode.beam']), []);
    assert.equal(violations({ decode: { beam: 2, nbest: 3 } }, ['decode.lenpen']).length, 1);
  });

  test('the place is that of a key that was set, not of a default or a preset', () => {
    assert.throws(() => loadConfig({ sets: ['preset=tiny', 'decode.nbest=9'] }), {
      message: /^--set decode\.nbest=9: expected decode\.nbest to be at most/,
    });
    assert.throws(() => loadConfig({ sets: ['model.embed-dim=100', 'model.attention-heads=8'] }), {
      message: /^--set model\.attention-heads=8: /,
    });
  });
});

test('keys without effect', () => {
  const idle = (config: PartialConfig): string[] =>
    findIdleKeys(configSchema.parse(config)).map(({ key }) => key);
  assert.deepEqual(idle({}), []);
  assert.deepEqual(idle({ model: { residual: 'pre-ln' } }), []);
  assert.deepEqual(idle({ model: { residual: 'pre-ln', omega: { train: false, profile: 'p' } } }), [
    'model.omega.train',
    'model.omega.profile',
  ]);
  assert.deepEqual(idle({ model: { omega: { 'output-change': 'linear' } } }), ['model.omega.output-change']);
  assert.deepEqual(idle({ model: { omega: { 'output-change': 'linear', init: 'analytic' } } }), []);
  assert.deepEqual(idle({ model: { omega: { profile: 'p', init: 'analytic' } } }), ['model.omega.profile']);
  assert.deepEqual(idle({ train: { momentum: 0.9 } }), ['train.momentum']);
  assert.deepEqual(idle({ train: { momentum: 0.9, optimizer: 'sgd' } }), []);
  assert.deepEqual(idle({ train: { 'adam-betas': [0.9, 0.99], optimizer: 'sgd' } }), ['train.adam-betas']);
  const aligned = { 'alignment-unit': 'piece', 'alignment-layer': 1, 'alignment-head': 1 } as const;
  const keys = Object.keys(aligned).map((key) => `decode.${key}`);
  assert.deepEqual(idle({ decode: aligned }), keys);
  assert.deepEqual(idle({ decode: { ...aligned, alignment: 'soft' } }), []);
  assert.deepEqual(idle({ decode: { ...aligned, unk: 'replace' } }), keys.slice(0, 1));
  assert.deepEqual(idle({ decode: aligned, train: { 'guided-alignment': 0.1 } }), keys.slice(0, 1));
});
