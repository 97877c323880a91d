import { MASK } from './mask.js';
import type { BufferKind } from './program.js';

/** What is done with a sum before it is stored. */
export type Epilogue =
  | 'none'
  | 'bias'
  | 'add' // to what is there
  | 'relu'
  | 'gelu'
  | 'geluAlone' // without the sum before it
  | 'reluGradient'
  | 'geluGradient';

/** Error function by Cody's rational approximations of erf and erfc: good to the last digits of a float. */
const GELU = `
fn erfOf(x: f32) -> f32 {
  let a = abs(x);
  var y = 1.0;
  if (a < 0.5) {
    let s = a * a;
    return x * (((((-3.56098437018154e-2 * s + 6.99638348861914) * s + 2.19792616182942e1) * s + 2.42667955230532e2)) /
      (((s + 1.50827976304078e1) * s + 9.11649054045149e1) * s + 2.15058875869861e2));
  }
  if (a < 4.0) {
    let top = ((((((-1.36864857382717e-7 * a + 5.64195517478974e-1) * a + 7.21175825088309) * a + 4.31622272220567e1) * a +
      1.52989285046940e2) * a + 3.39320816734344e2) * a + 4.51918953711873e2) * a + 3.00459261020162e2;
    let below = ((((((a + 1.27827273196294e1) * a + 7.70001529352295e1) * a + 2.77585444743988e2) * a +
      6.38980264465631e2) * a + 9.31354094850610e2) * a + 7.90950925327898e2) * a + 3.00459260956983e2;
    y = 1.0 - exp(-a * a) * top / below;
  }
  return select(y, -y, x < 0.0);
}
fn gelu(x: f32) -> f32 { return 0.5 * x * (1.0 + erfOf(x * 0.70710678)); }
fn geluSlope(x: f32) -> f32 {
  return 0.5 * (1.0 + erfOf(x * 0.70710678)) + x * 0.39894228 * exp(-0.5 * x * x);
}`;

/** Buffers beside a, b and c, and the statements that store `sum` at `i`, element (row, column) of the result. */
export const EPILOGUES: Record<Epilogue, { buffers: Record<string, BufferKind>; store: string }> = {
  none: { buffers: {}, store: 'to_c(i, sum);' },
  add: { buffers: {}, store: 'to_c(i, from_c(i) + sum);' },
  bias: { buffers: { bias: 'floats' }, store: 'to_c(i, sum + bias[column]);' },
  relu: {
    buffers: { bias: 'floats' },
    store: 'let x = sum + bias[column]; to_c(i, select(x, 0.0, x < 0.0) * mask(i));',
  },
  gelu: {
    buffers: { bias: 'floats', before: 'numbersOut' },
    store: 'let x = sum + bias[column]; to_before(i, x); to_c(i, gelu(x) * mask(i));',
  },
  geluAlone: { buffers: { bias: 'floats' }, store: 'to_c(i, gelu(sum + bias[column]));' },
  reluGradient: {
    buffers: { kept: 'numbers' },
    store: 'to_c(i, select(0.0, sum * p.maskKept, from_kept(i) > 0.0));',
  },
  geluGradient: {
    buffers: { kept: 'numbers' },
    store: 'to_c(i, sum * mask(i) * geluSlope(from_kept(i)));',
  },
};

/** The functions that an epilogue calls. */
export function functionsOf(epilogue: Epilogue): string {
  const { store } = EPILOGUES[epilogue];
  return `${store.includes('mask') ? MASK : ''}${store.includes('gelu') ? GELU : ''}`;
}
