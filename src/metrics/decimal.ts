/**
 * A number with `digits` decimals, rounded as Python's `f'{value:.{digits}f}'` rounds: by the exact value of the
 * double, ties to the even digit. `toFixed` is exact too but rounds ties away from zero (0.125 → 0.13).
 *
 * @param value below 1e21 in size (beyond that `toFixed` leaves the notation)
 * @param digits 0 … 99
 */
export function formatFixed(value: number, digits: number): string {
  const awayFromZero = value.toFixed(digits);
  // A tie is an odd multiple of 1/2 · 10^-digits, so 2^(digits+1) times it is whole, and one digit more is exact.
  if (!Number.isInteger(value * 2 ** (digits + 1))) return awayFromZero;
  const exact = value.toFixed(digits + 1);
  if (!exact.endsWith('5')) return awayFromZero;
  const towardZero = digits === 0 ? exact.slice(0, -2) : exact.slice(0, -1);
  return Number(towardZero.at(-1)) % 2 === 0 ? towardZero : awayFromZero;
}

/** A finite double as Python's `repr` (and so its `json`) writes it: always told apart from an integer. */
export function floatLiteral(value: number): string {
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-4 || size >= 1e16)) {
    return value.toExponential().replace(/e([+-])(\d)$/, 'e$10$2');
  }
  return Number.isInteger(value) ? `${value}.0` : String(value);
}
