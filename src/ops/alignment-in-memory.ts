/* The loss of alignments over rows that lie in the memory of the process: only queries that have links are looked at. */

/** Queries or keys: `width` columns from `column` on, of rows of `stride`. */
export interface RowsInMemory {
  readonly values: Float32Array;
  readonly column: number;
  readonly stride: number;
}

/** The attention whose loss it is, and what its queries are to attend to. */
export interface GuidedAttention {
  readonly q: RowsInMemory;
  readonly k: RowsInMemory;
  readonly qOffsets: Int32Array;
  readonly kOffsets: Int32Array;
  readonly links: {
    readonly rows: Int32Array;
    readonly columns: Int32Array;
    readonly weights: Float32Array;
  };
  /** Those that count, alike. */
  readonly heads: readonly number[];
  readonly headWidth: number;
  readonly epsilon: number;
}

/** Where `factor` times the gradients are added: in the places of the values. */
export interface Slopes {
  readonly q: Float32Array;
  readonly k: Float32Array;
  readonly factor: number;
}

/** Σ −weight · ln(a + ε) over the links, see alignmentLoss, in doubles. @param slopes where its gradients are wanted */
export function lossInMemory(attention: GuidedAttention, slopes?: Slopes): number {
  const { qOffsets, kOffsets, links, heads, epsilon } = attention;
  const linksOf = linksByRow(links.rows, qOffsets[qOffsets.length - 1]);
  let loss = 0;
  for (let sentence = 0; sentence + 1 < qOffsets.length; sentence++) {
    const [first, size] = [kOffsets[sentence], kOffsets[sentence + 1] - kOffsets[sentence]];
    const mean = new Float64Array(size);
    const slope = new Float64Array(size);
    for (let row = qOffsets[sentence]; row < qOffsets[sentence + 1]; row++) {
      const own = linksOf[row];
      if (own === undefined) continue;
      const byHead = heads.map((head) => softmaxOf(attention, head, row, first, size));
      mean.fill(0);
      slope.fill(0);
      for (const p of byHead) for (let j = 0; j < size; j++) mean[j] += p[j] / heads.length;
      for (const link of own) {
        const [column, weight] = [links.columns[link], links.weights[link]];
        loss -= weight * Math.log(mean[column] + epsilon);
        slope[column] -= weight / (mean[column] + epsilon) / heads.length;
      }
      if (slopes === undefined) continue;
      heads.forEach((head, i) => {
        addSlopes(attention, { head, row, first, p: byHead[i], slope }, slopes);
      });
    }
  }
  return loss;
}

/** The links of each row; undefined where it has none. */
function linksByRow(rows: Int32Array, count: number): (number[] | undefined)[] {
  const found = new Array<number[] | undefined>(count);
  rows.forEach((row, link) => {
    const own = found[row];
    if (own === undefined) found[row] = [link];
    else own.push(link);
  });
  return found;
}

/** What a head of a query attends to, of the keys from `first` on. */
function softmaxOf(
  { q, k, headWidth }: GuidedAttention,
  head: number,
  row: number,
  first: number,
  size: number,
): Float64Array {
  const p = new Float64Array(size);
  const [queries, keys] = [q.values, k.values];
  const from = row * q.stride + q.column + head * headWidth;
  let largest = Number.NEGATIVE_INFINITY;
  for (let j = 0; j < size; j++) {
    const to = (first + j) * k.stride + k.column + head * headWidth;
    let score = 0;
    for (let c = 0; c < headWidth; c++) score += queries[from + c] * keys[to + c];
    p[j] = score / Math.sqrt(headWidth);
    if (p[j] > largest) largest = p[j];
  }
  let sum = 0;
  for (let j = 0; j < size; j++) {
    p[j] = Math.exp(p[j] - largest);
    sum += p[j];
  }
  for (let j = 0; j < size; j++) p[j] /= sum;
  return p;
}

/** Goes back through the softmax of a head, and the products before it. @param slope that of its weights */
function addSlopes(
  { q, k, headWidth }: GuidedAttention,
  at: { head: number; row: number; first: number; p: Float64Array; slope: Float64Array },
  slopes: Slopes,
): void {
  const { head, row, first, p, slope } = at;
  const [queries, keys, ofQ, ofK] = [q.values, k.values, slopes.q, slopes.k];
  const from = row * q.stride + q.column + head * headWidth;
  let along = 0;
  for (let j = 0; j < p.length; j++) along += slope[j] * p[j];
  for (let j = 0; j < p.length; j++) {
    const ofScore = (slopes.factor * p[j] * (slope[j] - along)) / Math.sqrt(headWidth);
    const to = (first + j) * k.stride + k.column + head * headWidth;
    for (let c = 0; c < headWidth; c++) {
      ofQ[from + c] += ofScore * keys[to + c];
      ofK[to + c] += ofScore * queries[from + c];
    }
  }
}
