import type { Transformer } from '../model/transformer.js';
import { layTogether } from '../ops/lists.js';
import { movingAverage } from '../ops/moving-average.js';

/** The exponential moving average of a model's weights, as a model of its own. */
export class MovingAverage {
  /** Has the averages for weights. Owned by this object. */
  readonly model: Transformer;
  private readonly live: Transformer;
  private readonly decay: number;

  /**
   * @param live the model that is trained
   * @param averaged where a checkpoint left the averages; owned by this object. None at the start: then they begin as the
   *   weights are
   */
  constructor(live: Transformer, decay: number, averaged?: Transformer) {
    this.live = live;
    this.decay = decay;
    this.model = averaged ?? live.copy();
  }

  /**
   * Moves the averages towards the weights after an update. The decay of update u is min(decay, (1 + u) / (10 + u)), as in
   * TensorFlow's ExponentialMovingAverage, so that what the weights were at the start is soon forgotten.
   *
   * @param updates done, from 1
   */
  update(updates: number): void {
    const decay = Math.min(this.decay, (1 + updates) / (10 + updates));
    layTogether(this.model.trainable);
    movingAverage(this.model.trainable, this.live.trainable, decay);
  }

  dispose(): void {
    this.model.dispose();
  }
}
