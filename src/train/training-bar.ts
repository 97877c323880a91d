import { type Progress, startProgress } from '../common/progress.js';
import { type FigureName, formatFigure } from '../common/validation-figures.js';
import type { Meter, TrainFigures } from './meter.js';
import { trainFigures } from './meter.js';
import type { TrainState } from './state.js';
import type { ExpectedEnd } from './stopping.js';

/** Least milliseconds between two looks at the device for the sake of the bar. */
const LOOK_EVERY = 2000;

/** What is shown of a training while it runs. */
export class TrainingBar {
  private readonly bar: Progress;
  private readonly metric: FigureName;
  private lookedAt = -Infinity;
  private figures: TrainFigures | undefined;

  /** @param ends what ends the training, as far as it is known */
  constructor(ends: ExpectedEnd, start: number, metric: FigureName) {
    this.metric = metric;
    this.bar = startProgress({ label: 'train', unit: 'updates', ...ends, start, plainEvery: 15_000 });
  }

  /** Moves the bar; its figures are those since the last line of the metrics. */
  async show(state: Readonly<TrainState>, meter: Meter, lr: number): Promise<void> {
    const now = performance.now();
    if (meter.updates > 0 && now - this.lookedAt >= LOOK_EVERY) {
      this.figures = trainFigures(await meter.read());
      this.lookedAt = now;
    }
    this.bar.update(state.updates, this.figures && describe(this.figures, state, lr, this.metric));
  }

  stop(): void {
    this.bar.stop();
  }
}

/** The figures, the most telling first. */
function describe(
  { loss, ppl, wps, gnorm }: TrainFigures,
  { epoch, bests: [best], lossScale }: Readonly<TrainState>,
  lr: number,
  metric: FigureName,
): string[] {
  const value = best?.[metric];
  return [
    `loss ${formatFigure('loss', loss)}`,
    `${Math.round(wps)} tokens/s`,
    `epoch ${epoch}`,
    ...(value === undefined ? [] : [`best ${metric} ${formatFigure(metric, value)}`]),
    `ppl ${formatFigure('ppl', ppl)}`,
    `lr ${lr.toPrecision(3)}`,
    `gnorm ${gnorm.toPrecision(3)}`,
    ...(lossScale === undefined ? [] : [`loss scale ${lossScale.scale}`]),
  ];
}
