import { SCHEMES } from '../config/residual-schemes.js';
import type { Batch } from '../data/batch.js';
import { deepnormConstants, normName, omegaName, type Site } from '../model/scheme.js';
import type { Mode, Transformer } from '../model/transformer.js';
import { type Look, watchForward } from '../model/watch-forward.js';
import { ownValues, readAndDispose } from '../ops/reading.js';
import { tf } from '../ops/tf.js';
import type { DependencyRow } from '../report/analysis-data.js';
import { LAYER_NORM_EPSILON, statisticsOf, varianceOfRows } from './row-statistics.js';

/**
 * β² of every residual branch in the output of every sublayer (Liu et al., 2020, §4.1, figure 7; `--plot_variance`
 * of the official code). A sublayer's output is, exactly, the sum of what the embeddings and each branch have left
 * in it, scaled by all ω and layer normalisations on the way, and of the biases of the layer normalisations. A share
 * is the variance over the components of one such summand, averaged over the tokens, over the sum of all of them.
 *
 * @param training dropout, see Mode
 * @returns the sublayers in the order of the forward pass
 */
export async function measureDependency(
  model: Transformer,
  batch: Batch,
  training: Mode['training'],
): Promise<DependencyRow[]> {
  const streams = { encoder: new ResidualStream(model), decoder: new ResidualStream(model) };
  const rows: DependencyRow[] = [];
  const look: Look = async (site, shortcut, branch) => {
    rows.push({ ...site, ...(await streams[site.stack].add(site, shortcut, branch)) });
  };
  const { encoder, decoder } = await watchForward(model, batch, { training }, look);
  tf.dispose([encoder, decoder]);
  return rows;
}

/** The residual stream of a stack as the sum of its parts. */
export class ResidualStream {
  /** Place 0: the biases of the layer normalisations so far; place 1: the embeddings; then the branches; [T · d]. */
  parts: Float32Array[] = [];
  /** The same where the layer began, if that comes again at its end. */
  private layerParts: Float32Array[] = [];
  private readonly model: Transformer;
  private readonly width: number;

  constructor(model: Transformer) {
    this.model = model;
    this.width = model.config.embedDim;
  }

  /**
   * Goes through a sublayer.
   *
   * @param shortcut already multiplied by ω or α, the layer's input added where it is, [T, d]
   * @param branch [T, d]
   * @returns what the output consists of
   */
  async add(
    site: Site,
    shortcut: tf.Tensor2D,
    branch: tf.Tensor2D,
  ): Promise<Pick<DependencyRow, 'shares' | 'bias'>> {
    const [x, f] = [await ownValues(shortcut), await ownValues(branch)];
    const { norm, layerInput } = SCHEMES[this.model.config.residual][site.stack];
    const isFirst = this.parts.length === 0;
    if (isFirst) this.parts = [new Float32Array(x.length), x];
    else if (layerInput && site.sublayer === 'fc') this.addLayerInput();
    if (layerInput && site.sublayer === 'self') this.layerParts = this.parts.map((part) => part.slice());
    if (!isFirst) await this.scale(site);
    this.parts.push(f);
    if (norm === 'post') await this.normalize(site, shortcut, branch);
    return this.measure();
  }

  /** Adds to each part what it was where the layer began. */
  private addLayerInput(): void {
    this.layerParts.forEach((before, k) => {
      const part = this.parts[k];
      for (let i = 0; i < part.length; i++) part[i] += before[i];
    });
  }

  /** Multiplies the parts by ω or α. */
  private async scale(site: Site): Promise<void> {
    const { config } = this.model;
    const { shortcut } = SCHEMES[config.residual][site.stack];
    if (shortcut === 'omega') this.multiply(await this.weight(omegaName(site)));
    if (shortcut === 'alpha') {
      const { alpha } = deepnormConstants(config, site.stack);
      this.multiply(new Float32Array(this.width).fill(alpha));
    }
  }

  /** @param factors one for each component, [d] */
  private multiply(factors: Float32Array): void {
    for (const part of this.parts) {
      for (let i = 0; i < part.length; i++) part[i] *= factors[i % this.width];
    }
  }

  /** Layer normalisation of the sum of all parts is the same linear map for each of them, and a bias. */
  private async normalize(site: Site, shortcut: tf.Tensor2D, branch: tf.Tensor2D): Promise<void> {
    const { width } = this;
    const norm = normName(site);
    const [gain, bias] = [await this.weight(`${norm}.weight`), await this.weight(`${norm}.bias`)];
    const sum = await readAndDispose(tf.add(shortcut, branch));
    for (let row = 0; row < sum.length / width; row++) {
      const inverse = 1 / Math.sqrt(statisticsOf(sum, row, width).variance + LAYER_NORM_EPSILON);
      for (const part of this.parts) {
        const { mean } = statisticsOf(part, row, width);
        for (let i = 0, at = row * width; i < width; i++, at++)
          part[at] = (part[at] - mean) * inverse * gain[i];
      }
      for (let i = 0; i < width; i++) this.parts[0][row * width + i] += bias[i];
    }
  }

  private measure(): Pick<DependencyRow, 'shares' | 'bias'> {
    const [bias, ...own] = this.parts.map((part) => varianceOfRows(part, this.width));
    const total = own.reduce((sum, variance) => sum + variance, 0);
    return { shares: own.map((variance) => variance / total), bias: bias / total };
  }

  private weight(name: string): Promise<Float32Array> {
    return this.model.weights.get(name)!.data<'float32'>();
  }
}
