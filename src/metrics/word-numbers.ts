/** Words as numbers, equal ones as equal numbers: counted up in `known`, which may serve several texts. */
export function numberWords(words: readonly string[], known: Map<string, number>): Int32Array {
  const numbers = new Int32Array(words.length);
  for (let i = 0; i < words.length; i++) {
    let number = known.get(words[i]);
    if (number === undefined) {
      number = known.size;
      known.set(words[i], number);
    }
    numbers[i] = number;
  }
  return numbers;
}
