/**
 * Changes what may follow a hypothesis, by its tokens alone.
 *
 * @param logProbs natural log-probabilities of all tokens, [V], to be changed in place; −∞ forbids one
 * @param tokens what the hypothesis has so far, without the `</s>` that it begins with
 */
export type Rule = (logProbs: Float32Array, tokens: readonly number[]) => void;
