import type { Site, Stack, Subject } from './analysis-data.js';

/** How the page of an analysis names things. */

export const STACKS: readonly Stack[] = ['encoder', 'decoder'];
export const STACK_TITLES: Readonly<Record<Stack, string>> = { encoder: 'Encoder', decoder: 'Decoder' };

/** Names of models that tell each from the others: by the scheme where that is enough, else by updates too. */
export function subjectNames(subjects: readonly Subject[]): string[] {
  const several = new Set(subjects.map(({ residual }) => residual)).size > 1;
  const trained = subjects.some(({ checkpoint }) => checkpoint !== 'init');
  return subjects.map(({ residual, checkpoint, updates }) => {
    if (!trained) return residual;
    const where = checkpoint === 'init' ? 'init' : updates === null ? checkpoint : `${updates} updates`;
    return several ? `${residual}, ${where}` : where;
  });
}

/** The kinds of sublayers, in full. */
export const SUBLAYERS = { self: 'self-attention', encoder: 'encoder-attention', fc: 'feed-forward' };

/** A sublayer of a stack: `self-attention 2`. */
export function siteName({ layer, sublayer }: Pick<Site, 'layer' | 'sublayer'>): string {
  return `${SUBLAYERS[sublayer]} ${layer + 1}`;
}

/** Where the layers begin on an axis of sublayers counted from 1, with numbers that do not crowd. */
export function layerTicks(sites: readonly Site[]): { at: number; text: string }[] {
  const layers = Math.max(...sites.map(({ layer }) => layer)) + 1;
  const every = Math.ceil(layers / 12);
  return sites.flatMap(({ layer }, i) => {
    const begins = i === 0 || sites[i - 1].layer !== layer;
    return begins && layer % every === 0 ? [{ at: i + 1, text: String(layer + 1) }] : [];
  });
}
