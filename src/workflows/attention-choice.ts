import type { Config } from '../config/schema.js';
import type { AttentionChoice } from '../model/attention-matrix.js';
import type { Guidance } from '../model/guided-alignment.js';

/**
 * The attention to align by. On average the heads of the last layer but one do it best, of a Transformer that was trained to
 * translate alone (Garg et al. 2019, section 4.1); of fewer than three layers it is the last.
 */
export function attentionChoice({ decode, model }: Config): AttentionChoice {
  const { layers } = model.decoder;
  const layer = decode.alignmentLayer ?? (layers < 3 ? layers : layers - 1);
  return { layer: layer - 1, head: decode.alignmentHead === null ? null : decode.alignmentHead - 1 };
}

/** What train.guided-alignment trains: the attention by which `translate` aligns. Null where it is off. */
export function guidanceOf(config: Config): Guidance | null {
  const weight = config.train.guidedAlignment;
  return weight === 0 ? null : { ...attentionChoice(config), weight };
}
