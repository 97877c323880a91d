import { tf } from '../../../ops/tf.js';
import { MASK, MASK_UNIFORMS, maskUniforms } from '../mask.js';
import { ELEMENT, program } from '../program.js';
import { elementRuns } from '../windows.js';
import type { Implementations } from './call.js';

const SCALE_BY = program(
  { x: 'floats', factor: 'floats', y: 'floatsOut' },
  { count: 'u32' },
  `${ELEMENT} y[i] = x[i] * factor[0]; }`,
);

const DROPOUT = program(
  { x: 'floats', y: 'floatsOut' },
  { count: 'u32', size: 'u32', ...MASK_UNIFORMS },
  `${MASK}${ELEMENT}
  let kept = masks(i);
  for (var s = 0u; s < 4u; s++) { let e = 4u * i + s; if (e < p.size) { y[e] = x[e] * kept[s]; } }
}`,
);

export const ELEMENTWISE = {
  ScaleBy: ({ inputs, backend }) => {
    const factor = backend.floats(inputs.factor!);
    const info = backend.largeOutput(inputs.x!.shape);
    for (const { ids, count } of elementRuns(backend, inputs.x!, info))
      backend.run(SCALE_BY, { x: ids[0], factor, y: ids[1] }, { count }, backend.elements(count));
    return [info];
  },

  Dropout: ({ inputs, attributes: { dropout }, backend }) => {
    const x = backend.floats(inputs.x!);
    const y = backend.output(inputs.x!.shape);
    const size = tf.util.sizeFromShape(inputs.x!.shape);
    const count = Math.ceil(size / 4);
    const uniforms = { count, size, ...maskUniforms(dropout) };
    backend.run(DROPOUT, { x, y: y.buffer }, uniforms, backend.elements(count));
    return [y.info];
  },
} satisfies Partial<Implementations>;
