import type { Batch } from '../data/batch.js';
import { tf } from '../ops/tf.js';
import type { Steps } from './layers.js';
import type { Mode, Probe } from './pass.js';
import type { Site, Stack } from './scheme.js';
import type { Transformer } from './transformer.js';

/** Looks at a residual sublayer, as a Probe does, and may wait for the device: the next one is computed after it. */
export type Look = (...seen: Parameters<Probe>) => Promise<void>;

/**
 * A forward pass of both stacks, whose sublayers are looked at on the way. At any time one sublayer is in memory, not all.
 *
 * @returns hidden states of both stacks, which the caller disposes of
 */
export async function watchForward(
  model: Transformer,
  batch: Batch,
  mode: Omit<Mode, 'probe'>,
  look: Look,
): Promise<Record<Stack, tf.Tensor2D>> {
  let site: Site | undefined;
  let seen: tf.Tensor2D[] = [];
  const probe: Probe = (at, ...tensors) => {
    site = at;
    seen = tensors.map((tensor) => tf.keep(tf.clone(tensor)));
  };
  const walk = async (steps: Steps): Promise<tf.Tensor2D> => {
    let hidden: tf.Tensor2D | undefined;
    try {
      for (let done = false; !done; ) {
        const next = tf.tidy(() => {
          const step = steps.next();
          done = step.done === true;
          return step.value;
        });
        if (next !== hidden) hidden?.dispose(); // a stack may end without a step of its own
        hidden = next;
        if (seen.length > 0) await look(site!, seen[0], seen[1]);
        tf.dispose(seen.splice(0));
      }
      return hidden!;
    } catch (error) {
      tf.dispose([...seen.splice(0), ...(hidden === undefined ? [] : [hidden])]);
      throw error;
    }
  };
  const pass = model.pass({ ...mode, probe });
  const encoder = await walk(model.encoderSteps(batch.source, pass));
  try {
    const decoder = await walk(model.decoderSteps(batch.targetInput, encoder, batch.source.offsets, pass));
    return { encoder, decoder };
  } catch (error) {
    encoder.dispose();
    throw error;
  }
}
