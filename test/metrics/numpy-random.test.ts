import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { entropyOf, NumpyGenerator, seedWords } from '../../src/metrics/numpy-random.js';

const choose = (generator: NumpyGenerator, size: number, count: number): number[] => {
  const out = new Uint32Array(count);
  generator.choose(size, out);
  return Array.from(out);
};

// Values of numpy 2.4.6.
describe("numpy's default_rng", () => {
  test('words of a SeedSequence', () => {
    const expected = [
      ...[2688385916, 3048105090, 4196366895, 3152189807],
      ...[924159892, 1692637855, 2685664627, 1052446614],
    ];
    assert.deepEqual(Array.from(seedWords([12345], 8)), expected);
    const long = [5, 0, 0, 0, 0, 0, 256]; // 2^200 + 5
    assert.deepEqual(Array.from(seedWords(long, 4)), [2488230339, 2107114705, 1351925458, 1949616611]);
  });

  test('choice, of one after another size', () => {
    const generator = new NumpyGenerator(entropyOf(12345));
    assert.deepEqual(choose(generator, 1, 8), [0, 0, 0, 0, 0, 0, 0, 0]);
    assert.deepEqual(choose(generator, 2, 8), [1, 0, 1, 0, 0, 1, 1, 1]);
    assert.deepEqual(choose(generator, 7, 8), [6, 2, 5, 2, 3, 4, 1, 1]);
    assert.deepEqual(choose(generator, 1014, 8), [232, 682, 622, 954, 716, 251, 927, 962]);
    const large = [
      2001712359, 391877584, 287693806, 798941936, 1325518998, 217220497, 2659439758, 1422075462,
    ];
    assert.deepEqual(choose(generator, 3000000001, 8), large);
  });

  test('seeds of other sizes', () => {
    assert.deepEqual(choose(new NumpyGenerator(entropyOf(0)), 1000, 6), [850, 636, 511, 269, 307, 40]);
    assert.deepEqual(
      choose(new NumpyGenerator(entropyOf(2 ** 40 + 7)), 1000, 6),
      [206, 829, 609, 255, 17, 153],
    );
  });

  test('coins, and what comes after them', () => {
    const generator = new NumpyGenerator(entropyOf(12345));
    const words = [0, 1, 2].map(() => generator.word());
    const coins = Array.from({ length: 75 }, (_, i) => (words[i >> 5] >>> (i & 31)) & 1).join('');
    assert.equal(coins, '101110011000001111111111010011011011000110001101010011000101110001111011001');
    assert.deepEqual(choose(generator, 100, 5), [31, 20, 79, 64, 67]);
  });

  test('any place of the stream is found, forward and back', () => {
    const generator = new NumpyGenerator(entropyOf(12345));
    const words = Array.from({ length: 40_000 }, () => generator.word());
    assert.equal(generator.place, 40_000);
    for (const place of [39_999, 0, 1, 8191, 8192, 16_385, 16_383, 3]) {
      generator.seek(place);
      assert.equal(generator.place, place);
      assert.equal(generator.word(), words[place]);
    }
    const far = new NumpyGenerator(entropyOf(12345));
    far.seek(10 ** 12 + 1);
    // PCG64(12345).advance(5 * 10**11).random_raw() >> 32
    assert.equal(far.word(), 2976080952);
  });

  test('without a seed draws differ', () => {
    const draws = [0, 1].map(() => choose(new NumpyGenerator(entropyOf(null)), 2 ** 31, 4).join());
    assert.notEqual(draws[0], draws[1]);
  });

  test('is uniform across the refills of its memory', () => {
    const counts = new Uint32Array(10);
    for (const chosen of choose(new NumpyGenerator(entropyOf(1)), 10, 100_000)) counts[chosen]++;
    const chiSquared = counts.reduce((sum, count) => sum + (count - 10_000) ** 2 / 10_000, 0);
    assert.ok(chiSquared < 27.9, `${chiSquared}`); // p = 0.001 at 9 degrees of freedom
  });
});
