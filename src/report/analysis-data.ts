/** What `analyze` measures: the content of its JSON, and what its page is made of. */

export type Stack = 'encoder' | 'decoder';

/** A residual sublayer; layers from 0. */
export interface Site {
  readonly stack: Stack;
  readonly layer: number;
  readonly sublayer: 'self' | 'encoder' | 'fc';
}

/** Which model was looked at. */
export interface Subject {
  /** Its residual scheme. */
  readonly residual: string;
  /** Name of its checkpoint; `init` for initial weights. */
  readonly checkpoint: string;
  /** Updates it was trained for; null where the checkpoint does not say. */
  readonly updates: number | null;
}

/** The sentences that were looked at. */
export interface MeasuredBatch {
  readonly split: string;
  /** Its place in the split, from 1. */
  readonly number: number;
  readonly sentences: number;
  readonly sourceTokens: number;
  readonly targetTokens: number;
}

/** How much the output of a sublayer consists of each branch so far. */
export interface DependencyRow extends Site {
  /** β² of the embeddings (place 0) and of each branch up to its own (the last); they sum to 1. */
  readonly shares: readonly number[];
  /** Variance of the biases of layer normalisations in it, over that of all branches; they are in no share. */
  readonly bias: number;
}

export interface Dependency extends Subject {
  readonly stacks: readonly {
    readonly stack: Stack;
    readonly rows: readonly DependencyRow[];
    /** The shares of uncorrelated branches of variance one in the scheme at its start, row by row. */
    readonly expected: readonly (readonly number[])[];
  }[];
}

export type Direction = 'random' | 'gradient';

/** Change of the output of a stack when the matrices of its branches are perturbed. */
export interface OutputChange extends Subject {
  readonly stack: Stack;
  readonly direction: Direction;
  /** Layers of the stack. */
  readonly depth: number;
  /** Each matrix element moves by ±delta. */
  readonly delta: number;
  /** |F(x, W*) − F(x, W)|² for each component of a normalised output, by seed. */
  readonly changes: readonly number[];
}

/** How the change grows with the depth: change ∝ depth^exponent. */
export interface Growth {
  readonly residual: string;
  readonly stack: Stack;
  readonly direction: Direction;
  readonly delta: number;
  readonly depths: readonly number[];
  /** Of the lines through the changes of each seed; null where a change is 0 or no number. */
  readonly exponents: readonly (number | null)[];
  /** Mean and standard deviation of the exponents; null where one of them is, and the deviation of a single one. */
  readonly exponent: number | null;
  readonly deviation: number | null;
  /** The same line through what theory expects at these depths; null for no change at all. */
  readonly expected: number | null;
  /** R², the share of the variance of the mean changes that a + b·N explains, and a + b·ln N; null of two depths. */
  readonly linearFit: number | null;
  readonly logarithmicFit: number | null;
}

export interface OutputChanges {
  readonly changes: readonly OutputChange[];
  /** Empty where there is one depth only. */
  readonly growth: readonly Growth[];
  /** Σ β² of the own branches over the sublayers of a stack, by scheme and depth: what the change is proportional to. */
  readonly theory: readonly {
    readonly residual: string;
    readonly stack: Stack;
    readonly depth: number;
    readonly sum: number;
  }[];
}

/** Gradient and update of the matrices of one name in a layer, as root mean squares of their elements. */
export interface MatrixNorms {
  readonly stack: Stack;
  readonly layer: number;
  /** Such as `self-attention out`. */
  readonly part: string;
  /** Of the gradient of the loss per token, averaged over the updates. */
  readonly gradient: number;
  /** Of the change that an update makes, averaged over the updates, over the mean of their learning rates. */
  readonly update: number;
}

export interface GradientNorms extends Subject {
  /** Updates that were averaged. */
  readonly steps: number;
  /** Norm of the gradient of the loss per token by the output of each sublayer, before the first update. */
  readonly hidden: readonly (Site & { readonly norm: number })[];
  readonly matrices: readonly MatrixNorms[];
}

/** One update of training. */
export interface UpdateStep {
  /** From 1. */
  readonly update: number;
  readonly lr: number;
  /** ‖ΔW‖ / ‖W‖ over all trained weights. */
  readonly relativeUpdate: number;
  /** What the update changes in the normalised outputs of the stacks, for each component. */
  readonly encoderChange: number;
  readonly decoderChange: number;
  /** Negative log-likelihood of the measured batch after the update, in bits for each token. */
  readonly nll: number;
}

export interface UpdateSensitivity extends Subject {
  /** Whether the learning rate has the warmup of the config; else it is train.lr from the start. */
  readonly warmup: boolean;
  readonly steps: readonly UpdateStep[];
}

/** ω of each sublayer at a checkpoint. */
export interface OmegaPoint extends Subject {
  readonly sublayers: readonly (Site & {
    readonly start: number | null;
    readonly mean: number;
    readonly deviation: number;
    readonly least: number;
    readonly most: number;
  })[];
}

export interface Analysis {
  readonly format: 'admin-nmt/analysis';
  readonly version: 1;
  readonly seed: number;
  /** Whether dropout was on. */
  readonly dropout: boolean;
  /** Null where no sentences were needed. */
  readonly batch: MeasuredBatch | null;
  readonly dependency?: readonly Dependency[];
  readonly outputChange?: OutputChanges;
  readonly gradients?: readonly GradientNorms[];
  readonly updates?: readonly UpdateSensitivity[];
  readonly omega?: readonly OmegaPoint[];
}
