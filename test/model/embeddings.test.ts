import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { UserError } from '../../src/common/errors.js';
import { embed, positionsOf, sinusoids } from '../../src/model/embeddings.js';
import { Transformer } from '../../src/model/transformer.js';
import { tf } from '../../src/ops/tf.js';
import { tinyConfig, useBackend, VOCABULARY } from './models.js';

before(() => useBackend('cpu'));

const close = (actual: number, expected: number) =>
  assert.ok(Math.abs(actual - expected) < 1e-6, `${actual}, expected ${expected}`);

test('sinusoids: sines then cosines, the first token at position 2, the last rate 1/10000', () => {
  const values = sinusoids(Int32Array.of(0, 3), tinyConfig());
  const rates = [0, 1, 2, 3].map((i) => 10000 ** (-i / 3));
  rates.forEach((rate, i) => {
    close(values[i], Math.sin(2 * rate));
    close(values[4 + i], Math.cos(2 * rate));
    close(values[8 + i], Math.sin(5 * rate));
    close(values[12 + i], Math.cos(5 * rate));
  });
});

test('positions start anew with each sentence', () => {
  assert.deepEqual(
    [...positionsOf({ tokens: new Int32Array(6), offsets: Int32Array.of(0, 3, 4, 6) })],
    [0, 1, 2, 0, 0, 1],
  );
});

/** Embeddings of two tokens, [2 · d]. */
function embedded(model: Transformer, positions = Int32Array.of(0, 1)): Float32Array {
  return tf.tidy(() => {
    const pass = model.pass({ training: null });
    return embed(pass, 'encoder', Int32Array.of(5, 4), positions).dataSync() as Float32Array;
  });
}

test('tokens times √d plus positions; learned positions start at row 2', () => {
  for (const positions of ['sinusoidal', 'learned'] as const) {
    for (const scaleEmbeddings of [true, false]) {
      const config = tinyConfig({ positions, scaleEmbeddings });
      const model = Transformer.create(config, VOCABULARY, 3);
      const table = model.weights.get('encoder.embed_tokens.weight')!.dataSync();
      const places =
        positions === 'learned'
          ? model.weights
              .get('encoder.embed_positions.weight')!
              .dataSync()
              .subarray(2 * 8)
          : sinusoids(Int32Array.of(0, 1), config);
      const scale = scaleEmbeddings ? Math.sqrt(8) : 1;
      const found = embedded(model);
      for (let i = 0; i < 8; i++) {
        close(found[i], table[5 * 8 + i] * scale + places[i]);
        close(found[8 + i], table[4 * 8 + i] * scale + places[8 + i]);
      }
      model.dispose();
    }
  }
});

test('a sentence over max-positions is refused, one of that length is not', () => {
  for (const positions of ['sinusoidal', 'learned'] as const) {
    const model = Transformer.create(tinyConfig({ positions, maxPositions: 4 }), VOCABULARY, 3);
    embedded(model, Int32Array.of(0, 3));
    assert.throws(
      () => embedded(model, Int32Array.of(0, 4)),
      (error: unknown) =>
        error instanceof UserError && /at most 4 tokens, found one of 5/.test(error.message),
    );
    model.dispose();
  }
});
