import { isDeepStrictEqual } from 'node:util';

/** How the residual sublayers of a stack are joined, normalised and initialised; docs/model.md has the formulas. */
export interface Scheme {
  /** Where the layer normalisation stands: after the sum, before the branch, or nowhere. */
  norm: 'post' | 'pre' | 'none';
  /** What the shortcut is multiplied by: nothing, the trained vector ω, or DeepNorm's constant α. */
  shortcut: 'plain' | 'omega' | 'alpha';
  /** Whether the branch is multiplied by ReZero's trained scalar, one a layer. */
  gate: boolean;
  /** Whether the shortcut of a layer's last sublayer has the input of the layer added: bottom to top (B2T). */
  layerInput: boolean;
  /** Whether a branch normalises what its last linear map reads, too (Sub-LN); the attention to the encoder does not. */
  innerNorm: boolean;
  /** Whether q, k and v share one matrix (and one Xavier bound) as the official code has it. */
  fusedProjections: boolean;
  /**
   * Initialisation of the weights of the branches: Xavier's, the same with DeepNorm's gain β, with Sub-LN's γ, divided by
   * the root of the depth, or mirrored.
   */
  init: 'xavier' | 'beta' | 'gamma' | 'depth' | 'mirrored';
}

/** A value of `model.residual`: a scheme for each stack, and what others call it. */
export interface ResidualScheme {
  readonly encoder: Scheme;
  readonly decoder: Scheme;
  /**
   * The official code's `--init-type`: what a model is written as, null where that code can build none, and what is
   * read as this scheme where its norms stand likewise.
   */
  readonly fairseq: { readonly writes: string | null; readonly reads: readonly string[] };
}

const POST_LN: Scheme = {
  norm: 'post',
  shortcut: 'plain',
  gate: false,
  layerInput: false,
  innerNorm: false,
  fusedProjections: true,
  init: 'xavier',
};

const PRE_LN: Scheme = { ...POST_LN, norm: 'pre' };

/**
 * All that is known of a scheme by its name stands here; what the theory of the paper expects of it and which
 * parameters it has follow from its switches. No other file compares with a name.
 */
const TABLE = {
  'post-ln': { ...inBoth(POST_LN), fairseq: { writes: 'default', reads: ['default'] } },
  'pre-ln': { ...inBoth(PRE_LN), fairseq: { writes: 'default', reads: ['default'] } },
  // The paper cures the gradients of Post-LN by a decoder of Pre-LN.
  'post-ln-pre-ln': {
    encoder: POST_LN,
    decoder: PRE_LN,
    fairseq: { writes: 'default', reads: ['default'] },
  },
  admin: {
    ...inBoth({ ...POST_LN, shortcut: 'omega' }),
    fairseq: { writes: 'adaptive', reads: ['adaptive', 'adaptive-profiling'] },
  },
  deepnorm: {
    ...inBoth({ ...POST_LN, shortcut: 'alpha', fusedProjections: false, init: 'beta' }),
    fairseq: { writes: 'deepnet', reads: ['deepnet'] },
  },
  // It asserts `init_type == 'default'` after having dealt with the two of ReZero.
  rezero: {
    ...inBoth({ ...POST_LN, norm: 'none', gate: true }),
    fairseq: { writes: null, reads: ['rezero'] },
  },
  'rezero-post-ln': {
    ...inBoth({ ...POST_LN, gate: true }),
    fairseq: { writes: null, reads: ['rezero_postln'] },
  },
  // It differs from Post-LN where it starts, not in what it computes.
  'look-linear': {
    ...inBoth({ ...POST_LN, init: 'mirrored' }),
    fairseq: { writes: 'default', reads: ['looklinear'] },
  },
  // Its code is another fork of fairseq, with a flag of this name.
  b2t: {
    ...inBoth({ ...POST_LN, layerInput: true, init: 'depth' }),
    fairseq: { writes: null, reads: ['residual_bottom_to_top'] },
  },
  'sub-ln': {
    ...inBoth({ ...PRE_LN, innerNorm: true, fusedProjections: false, init: 'gamma' }),
    fairseq: { writes: null, reads: [] },
  },
} satisfies Record<string, ResidualScheme>;

/** The name of a scheme. */
export type Residual = keyof typeof TABLE;

/** Every scheme, by name. */
export const SCHEMES: Readonly<Record<Residual, ResidualScheme>> = TABLE;

/** Their names, in the order of the table. */
export const RESIDUALS = Object.keys(TABLE) as [Residual, ...Residual[]];

/** The scheme of a config that names none, and the one that others are profiled under. */
export const DEFAULT_RESIDUAL: Residual = 'admin';

function inBoth(scheme: Scheme): Pick<ResidualScheme, 'encoder' | 'decoder'> {
  return { encoder: scheme, decoder: scheme };
}

/** Whether a stack computes what Post-LN or Pre-LN does, however it is initialised: what other programs have. */
export function isPlain(scheme: Scheme, norms: readonly Scheme['norm'][]): boolean {
  return norms.some((norm) => isDeepStrictEqual({ ...scheme, init: POST_LN.init }, { ...POST_LN, norm }));
}

/** Whether a model has ω, in one of its stacks at least. */
export function hasOmega({ residual }: { readonly residual: Residual }): boolean {
  const { encoder, decoder } = SCHEMES[residual];
  return [encoder, decoder].some(({ shortcut }) => shortcut === 'omega');
}

/** The scheme that computes the same where all ω are 1 and has none; undefined where there is no such scheme. */
export function withoutOmega(residual: Residual): Residual | undefined {
  const computed = ({ init: _, ...scheme }: Scheme) => scheme;
  const stacks = (name: Residual) => [SCHEMES[name].encoder, SCHEMES[name].decoder].map(computed);
  const wanted = stacks(residual).map((scheme) =>
    scheme.shortcut === 'omega' ? { ...scheme, shortcut: 'plain' } : scheme,
  );
  return RESIDUALS.find((name) => isDeepStrictEqual(stacks(name), wanted));
}
