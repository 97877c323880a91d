import { tf } from '../../../ops/tf.js';
import { MASK, MASK_UNIFORMS } from '../mask.js';
import { ELEMENT, program } from '../program.js';
import { elementRuns } from '../windows.js';
import type { Implementations } from './call.js';

const SCALE_BY = program(
  { x: 'numbers', factor: 'floats', y: 'numbersOut' },
  { count: 'u32' },
  `${ELEMENT} to_y(i, from_x(i) * factor[0]); }`,
);

const DROPOUT = program(
  { x: 'numbers', y: 'numbersOut' },
  { count: 'u32', size: 'u32', ...MASK_UNIFORMS },
  `${MASK}${ELEMENT}
  let kept = masks(i);
  for (var s = 0u; s < 4u; s++) { let e = 4u * i + s; if (e < p.size) { to_y(e, from_x(e) * kept[s]); } }
}`,
);

export const ELEMENTWISE = {
  ScaleBy: ({ inputs, backend }) => {
    const factor = backend.floats(inputs.factor!);
    const { shape } = inputs.x!;
    const half = backend.isHalf(inputs.x);
    const info = half ? backend.activation(shape, true).info : backend.largeOutput(shape);
    for (const { ids, count } of elementRuns(backend, inputs.x!, info))
      backend.run(SCALE_BY, { x: ids[0], factor, y: ids[1] }, { count }, backend.elements(count));
    return [info];
  },

  Dropout: ({ inputs, attributes: { dropout }, backend }) => {
    const x = backend.numbers(inputs.x!);
    const y = backend.activation(inputs.x!.shape, backend.isHalf(inputs.x));
    const size = tf.util.sizeFromShape(inputs.x!.shape);
    const count = Math.ceil(size / 4);
    const uniforms = { count, size, mask: dropout };
    backend.run(DROPOUT, { x, y: y.buffer }, uniforms, backend.elements(count));
    return [y.info];
  },
} satisfies Partial<Implementations>;
