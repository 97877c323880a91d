import { readAndDispose } from './reading.js';
import { tf } from './tf.js';

/**
 * The natural log-probability of one entry of each row, by the formula of `topLogProbs`: z − (max z − log max p).
 *
 * @param logits [N, V]
 * @param targets which entry, [N]
 * @returns [N]
 */
export function targetLogProbs(logits: tf.Tensor2D, targets: Int32Array): Promise<Float32Array> {
  const size = logits.shape[1];
  const places = targets.map((target, row) => row * size + target);
  return readAndDispose(
    tf.tidy(() => {
      const partition = tf.sub(tf.max(logits, 1), tf.log(tf.max(tf.softmax(logits), 1)));
      const chosen = tf.gather(tf.reshape(logits, [logits.size]), tf.tensor1d(places, 'int32'));
      return tf.sub(chosen, partition);
    }),
  );
}
