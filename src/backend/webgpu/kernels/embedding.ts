import { MASK, MASK_UNIFORMS } from '../mask.js';
import { ELEMENT, program, variants } from '../program.js';
import { filled } from '../strided.js';
import { windowsOf } from '../windows.js';
import type { Implementations } from './call.js';

const embeddingProgram = variants((placed: boolean) =>
  program(
    { table: 'floats', y: 'numbersOut', ...(placed && { positions: 'floats' }) } as {
      table: 'floats';
      y: 'numbersOut';
      positions: 'floats';
    },
    {
      ...{ count: 'u32', size: 'u32', width: 'u32', scale: 'f32', first: 'u32', rows: 'u32' },
      ...({ tokens: 'indices', places: 'indices', ...MASK_UNIFORMS } as const),
    },
    `${MASK}${ELEMENT}
  let kept = masks(i);
  for (var s = 0u; s < 4u; s++) {
    let e = 4u * i + s;
    if (e < p.size) {
      let row = e / p.width;
      let column = e % p.width;
      let token = at(p.tokens + row) - p.first; // what is before the window is beyond it
      if (token >= p.rows) { continue; }
      let x = table[token * p.width + column] * p.scale;
      to_y(e, (x${placed ? ' + positions[at(p.places + row) * p.width + column]' : ''}) * kept[s]);
    }
  }
}`,
  ),
);

/** Each invocation has a column of one of the rows of a window that occur, and adds what belongs there in the order of the text. */
const GRADIENT = program(
  { dy: 'numbers', table: 'floatsOut' },
  {
    count: 'u32',
    width: 'u32',
    scale: 'f32',
    slot: 'u32',
    first: 'u32',
    order: 'indices',
    starts: 'indices',
    rows: 'indices',
    ...MASK_UNIFORMS,
  },
  `${MASK}${ELEMENT}
  let slot = p.slot + i / p.width;
  let column = i % p.width;
  var sum = 0.0;
  for (var j = at(p.starts + slot); j < at(p.starts + slot + 1u); j++) {
    let e = at(p.order + j) * p.width + column;
    sum += from_dy(e) * mask(e);
  }
  table[(at(p.rows + slot) - p.first) * p.width + column] = sum * p.scale;
}`,
);

/** The places of a text by what stands there: those of `rows[i]` are `order` from `starts[i]` to `starts[i + 1]`. */
interface Occurrences {
  order: Int32Array;
  starts: Int32Array;
  rows: Int32Array;
}

const sorted = new WeakMap<Int32Array, Occurrences>();

function occurrencesOf(indices: Int32Array): Occurrences {
  let found = sorted.get(indices);
  if (found === undefined) {
    const order = Int32Array.from(indices.keys()).sort((a, b) => indices[a] - indices[b] || a - b);
    const starts: number[] = [];
    for (let i = 0; i < order.length; i++)
      if (i === 0 || indices[order[i]] !== indices[order[i - 1]]) starts.push(i);
    const rows = Int32Array.from(starts, (start) => indices[order[start]]);
    found = { order, starts: Int32Array.from([...starts, order.length]), rows };
    sorted.set(indices, found);
  }
  return found;
}

/** Fails where an index names no row: the device would read another one without a word. */
function checkIndices(indices: Int32Array, rows: number): void {
  const wrong = indices.find((index) => index < 0 || index >= rows);
  if (wrong !== undefined)
    throw new RangeError(`a token lies outside of the table: expected one below ${rows}, found ${wrong}`);
}

export const EMBEDDING = {
  Embedding: ({ inputs, attributes: { tokens, places, scale, dropout, precision }, backend }) => {
    const [rows, width] = inputs.table!.shape;
    checkIndices(tokens, rows);
    const { positions } = inputs;
    if (positions !== undefined) checkIndices(places, positions.shape[0]);
    const y = backend.activation([tokens.length, width], precision === 'float16');
    const size = tokens.length * width;
    const count = Math.ceil(size / 4);
    for (const { buffer: table, first, rows: there } of windowsOf(backend, inputs.table!)) {
      backend.run(
        embeddingProgram(positions !== undefined),
        { table, y: y.buffer, positions: positions === undefined ? -1 : backend.floats(positions) },
        { count, size, width, scale, first, rows: there, tokens, places, mask: dropout },
        backend.elements(count),
      );
    }
    return [y.info];
  },

  EmbeddingGradient: ({ inputs, attributes: { indices, rows, scale, dropout }, backend }) => {
    const width = inputs.dy!.shape[1];
    checkIndices(indices, rows);
    const occurrences = occurrencesOf(indices);
    const info = filled(backend, [rows, width], 0);
    const dy = backend.numbers(inputs.dy!);
    let slot = 0;
    for (const { buffer: table, first, rows: there } of windowsOf(backend, info)) {
      let end = slot;
      while (end < occurrences.rows.length && occurrences.rows[end] < first + there) end++;
      const count = (end - slot) * width;
      const uniforms = { count, width, scale, slot, first, ...occurrences, mask: dropout };
      backend.run(GRADIENT, { dy, table }, uniforms, backend.elements(count));
      slot = end;
    }
    return [info];
  },
} satisfies Partial<Implementations>;
