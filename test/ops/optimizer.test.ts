import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type AdamOptions,
  adamStepSize,
  adamUpdate,
  globalNorm,
  type Moments,
  radamStepSize,
  sgdStep,
  zeroMoments,
} from '../../src/ops/optimizer.js';
import { tf } from '../../src/ops/tf.js';
import { allClose } from './all-close.js';
import { onEachBackend } from './backends.js';
import { normal, normals } from './samples.js';

const OPTIONS: AdamOptions = { lr: 0.01, betas: [0.9, 0.98], eps: 1e-8, weightDecay: 0 };
const SHAPES = [[3, 5], [7], [1, 1]];
const { NaN: nan, POSITIVE_INFINITY: inf } = Number;

/** State of one parameter's elements, in doubles. */
interface Doubles {
  p: number[];
  m: number[];
  v: number[];
}

/** Adam's update as its paper has it, but for fairseq's ε, which meets the uncorrected √v. */
function adamInDoubles({ p, m, v }: Doubles, gradient: number[], t: number, options: AdamOptions): Doubles {
  const { lr, betas, eps, weightDecay } = options;
  const first = m.map((x, i) => betas[0] * x + (1 - betas[0]) * gradient[i]);
  const second = v.map((x, i) => betas[1] * x + (1 - betas[1]) * gradient[i] ** 2);
  const correction = Math.sqrt(1 - betas[1] ** t) / (1 - betas[0] ** t);
  const moved = p.map(
    (x, i) => x - lr * weightDecay * x - (lr * correction * first[i]) / (Math.sqrt(second[i]) + eps),
  );
  return { p: moved, m: first, v: second };
}

/** RAdam's update, with the rectification r as the paper has it; no step while ρ is below 5. */
function radamInDoubles(state: Doubles, gradient: number[], t: number, options: AdamOptions): Doubles {
  const { lr, betas, eps, weightDecay } = options;
  const { m, v } = adamInDoubles(state, gradient, t, options);
  const longest = 2 / (1 - betas[1]) - 1;
  const rho = longest - (2 * t * betas[1] ** t) / (1 - betas[1] ** t);
  const r = Math.sqrt(((rho - 4) * (rho - 2) * longest) / ((longest - 4) * (longest - 2) * rho));
  const size = rho < 5 ? 0 : (lr * r * Math.sqrt(1 - betas[1] ** t)) / (1 - betas[0] ** t);
  const p = state.p.map((x, i) => x - lr * weightDecay * x - (size * m[i]) / (Math.sqrt(v[i]) + eps));
  return { p, m, v };
}

const RULES = {
  adam: [adamStepSize, adamInDoubles],
  radam: [radamStepSize, radamInDoubles],
} as const;

const withState = (use: (parameters: tf.Variable[], moments: Moments) => void, shapes = SHAPES): void => {
  const parameters = shapes.map((shape, i) => tf.tidy(() => tf.variable(normal(shape, 20 + i))));
  const moments = zeroMoments(parameters);
  use(parameters, moments);
  tf.dispose([parameters, moments.first, moments.second]);
};

/** The gradient of the i-th parameter in step t, of very different sizes. */
const gradientAt = (i: number, t: number): number[] =>
  Array.from(normals(tf.util.sizeFromShape(SHAPES[i]), 100 * t + i), (x, j) =>
    Math.fround(x * 10 ** ((j % 5) - 2)),
  );

function compareSteps(rule: keyof typeof RULES, steps: number, options: AdamOptions): void {
  const [stepSize, inDoubles] = RULES[rule];
  withState((parameters, moments) => {
    let states = parameters.map((parameter) => {
      const p = Array.from(parameter.dataSync());
      return { p, m: p.map(() => 0), v: p.map(() => 0) };
    });
    for (let t = 1; t <= steps; t++) {
      const gradients = SHAPES.map((shape, i) => tf.tensor(gradientAt(i, t), shape));
      adamUpdate(parameters, gradients, moments, stepSize(t, options), options);
      tf.dispose(gradients);
      states = states.map((state, i) => inDoubles(state, gradientAt(i, t), t, options));
      states.forEach(({ p, m, v }, i) => {
        allClose(parameters[i], p, {}, `parameter ${i} after step ${t}`);
        allClose(moments.first[i], m, {}, `first moment ${i} after step ${t}`);
        allClose(moments.second[i], v, {}, `second moment ${i} after step ${t}`);
      });
    }
  });
}

test('radamStepSize: none while N_sma < 5, then the rectified one', () => {
  // ρ∞ = 99; ρ(5) = 4.92, ρ(6) = 5.88
  for (const t of [1, 2, 3, 4, 5]) assert.equal(radamStepSize(t, OPTIONS), null);
  const rho = 99 - (12 * 0.98 ** 6) / (1 - 0.98 ** 6);
  assert.ok(rho > 5 && rho < 6);
  const r = Math.sqrt(((rho - 4) * (rho - 2) * 99) / (95 * 97 * rho));
  allClose([radamStepSize(6, OPTIONS)!], [(0.01 * r * Math.sqrt(1 - 0.98 ** 6)) / (1 - 0.9 ** 6)]);
});

/** SGD with momentum as torch.optim.SGD has it, but for decoupled weight decay. */
function compareSgd(momentum: number, weightDecay: number): void {
  const lr = 0.01;
  withState((parameters, moments) => {
    const states = parameters.map((parameter) => {
      const p = Array.from(parameter.dataSync());
      return { p, buffer: p.map(() => 0) };
    });
    for (let t = 1; t <= 4; t++) {
      const gradients = SHAPES.map((shape, i) => tf.tensor(gradientAt(i, t), shape));
      const { stepSize, options } = sgdStep(momentum, { lr, weightDecay });
      adamUpdate(parameters, gradients, moments, stepSize, options);
      tf.dispose(gradients);
      states.forEach((state, i) => {
        const gradient = gradientAt(i, t);
        state.buffer = state.buffer.map((b, j) => momentum * b + gradient[j]);
        state.p = state.p.map((p, j) => p - lr * weightDecay * p - lr * state.buffer[j]);
        allClose(parameters[i], state.p, {}, `parameter ${i} after step ${t}`);
        allClose(moments.second[i], tf.zeros(SHAPES[i]), {}, `second moment ${i} after step ${t}`);
      });
    }
  });
}

test('both step sizes tend to the learning rate', () => {
  allClose([adamStepSize(1e5, OPTIONS), radamStepSize(1e5, OPTIONS)!], [0.01, 0.01]);
  allClose([adamStepSize(1, OPTIONS)], [(0.01 * Math.sqrt(0.02)) / 0.1]);
});

onEachBackend(() => {
  for (const weightDecay of [0, 0.3]) {
    test(`Adam: three steps as in doubles, weight decay ${weightDecay}`, () => {
      compareSteps('adam', 3, { ...OPTIONS, weightDecay });
    });

    test(`RAdam: five steps without movement and three with, weight decay ${weightDecay}`, () => {
      compareSteps('radam', 8, { ...OPTIONS, weightDecay });
    });
  }

  test('SGD: four steps as in doubles, with and without momentum and weight decay', () => {
    compareSgd(0, 0);
    compareSgd(0.9, 0);
    compareSgd(0.99, 0.3);
  });

  test('other betas, a large ε, a learning rate of 0', () => {
    compareSteps('adam', 3, { ...OPTIONS, betas: [0.5, 0.999], eps: 0.1, weightDecay: 0.01 });
    compareSteps('radam', 8, { ...OPTIONS, betas: [0, 0.99], eps: 1e-3 });
    compareSteps('adam', 3, { ...OPTIONS, lr: 0, weightDecay: 0.5 });
  });

  test('RAdam without a step still gathers its moments; the gradients stay', () => {
    withState((parameters, moments) => {
      const before = parameters.map((parameter) => [...parameter.dataSync()]);
      const gradients = SHAPES.map((shape) => tf.fill(shape, 2));
      adamUpdate(parameters, gradients, moments, null, OPTIONS);
      parameters.forEach((parameter, i) => {
        assert.deepEqual([...parameter.dataSync()], before[i]);
        allClose(moments.first[i], tf.fill(SHAPES[i], 0.2));
        allClose(moments.second[i], tf.fill(SHAPES[i], 0.08));
        allClose(gradients[i], tf.fill(SHAPES[i], 2), { absolute: 0, relative: 0 });
      });
      tf.dispose(gradients);
    });
  });

  test('a gradient that was always zero moves nothing', () => {
    withState((parameters, moments) => {
      const before = parameters.map((parameter) => [...parameter.dataSync()]);
      const gradients = SHAPES.map((shape) => tf.zeros(shape));
      adamUpdate(parameters, gradients, moments, adamStepSize(1, OPTIONS), OPTIONS);
      parameters.forEach((parameter, i) => {
        assert.deepEqual([...parameter.dataSync()], before[i]);
      });
    });
  });

  test('NaN and ∞ of a gradient reach their element alone, and as NaN', () => {
    withState(
      (parameters, moments) => {
        const gradients = [tf.tensor1d([nan, 1, inf, -inf]), tf.tensor1d([1])];
        adamUpdate(parameters, gradients, moments, adamStepSize(1, OPTIONS), OPTIONS);
        const [found, other] = parameters.map((parameter) => parameter.dataSync());
        assert.deepEqual(Array.from(found, Number.isNaN), [true, false, true, true]);
        assert.ok(Number.isFinite(other[0]));
        allClose(moments.first[0], [nan, 0.1, inf, -inf]);
        allClose(moments.second[0], [nan, 0.02, inf, inf]);
      },
      [[4], [1]],
    );
  });

  test('a scale that is not finite leaves parameters and moments as they are, bit for bit', () => {
    withState((parameters, moments) => {
      const gradients = SHAPES.map((shape, i) => normal(shape, 50 + i));
      const options = { ...OPTIONS, weightDecay: 0.3 };
      const bits = () =>
        [...parameters, ...moments.first, ...moments.second].map((tensor) => [...tensor.dataSync()]);
      const step = (value: number) =>
        tf.tidy(() => {
          adamUpdate(parameters, gradients, moments, adamStepSize(2, options), options, tf.scalar(value));
        });
      step(0.5);
      const before = bits();
      for (const value of [nan, inf, -inf]) {
        step(value);
        assert.deepEqual(bits(), before);
      }
      step(0.5);
      assert.notDeepEqual(bits(), before);
      tf.dispose(gradients);
    });
  });

  test('a step is the same bit for bit when it is run again', () => {
    const results: number[][] = [];
    for (let run = 0; run < 2; run++) {
      withState((parameters, moments) => {
        const gradients = SHAPES.map((shape, i) => normal(shape, 50 + i));
        adamUpdate(parameters, gradients, moments, adamStepSize(1, OPTIONS), OPTIONS);
        results.push(parameters.flatMap((parameter) => [...parameter.dataSync()]));
      });
    }
    assert.deepEqual(results[0], results[1]);
  });

  test('steps leave no tensors; the moments are two for each parameter and untrained', () => {
    withState((parameters, moments) => {
      assert.ok([...moments.first, ...moments.second].every((moment) => !moment.trainable));
      const gradients = SHAPES.map((shape, i) => normal(shape, 50 + i));
      const before = [tf.memory().numTensors, tf.backend().numDataIds()];
      for (let t = 1; t <= 8; t++) {
        const options = { ...OPTIONS, weightDecay: t % 2 };
        adamUpdate(parameters, gradients, moments, radamStepSize(t, options), options);
        globalNorm(gradients).dispose();
        assert.deepEqual([tf.memory().numTensors, tf.backend().numDataIds()], before);
      }
      tf.dispose(gradients);
    });
  });

  test('globalNorm: over all elements of all tensors, of any shape', () => {
    tf.tidy(() => {
      allClose(globalNorm([tf.tensor1d([3])]), [3]);
      allClose(globalNorm([tf.tensor1d([2, -4]), tf.scalar(5), tf.tensor2d([[2], [0]])]), [7]);
      allClose(globalNorm([tf.zeros([2, 2]), tf.zeros([3])]), [0]);
      const [a, b] = [normal([13, 7], 1), normal([29], 2)];
      const squares = [...a.dataSync(), ...b.dataSync()].reduce((sum, x) => sum + x * x, 0);
      allClose(globalNorm([a, b]), [Math.sqrt(squares)]);
      assert.deepEqual(globalNorm([a, b]).shape, []);
    });
  });

  test('globalNorm: NaN and ∞ are not lost', () => {
    tf.tidy(() => {
      allClose(globalNorm([tf.tensor1d([1, nan]), tf.tensor1d([inf])]), [nan]);
      allClose(globalNorm([tf.tensor1d([1, 2]), tf.tensor1d([-inf])]), [inf]);
    });
  });
});
