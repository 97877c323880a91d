/** Where an array holds something other than 0, ascending. */
export function placesOf(marks: Uint8Array): Int32Array {
  const places = new Int32Array(marks.length);
  let count = 0;
  for (let i = 0; i < marks.length; i++) if (marks[i] !== 0) places[count++] = i;
  return places.slice(0, count);
}
