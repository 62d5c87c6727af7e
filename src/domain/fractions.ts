/**
 * Converts a decimal number to an exact fraction: 0.29 becomes 29/100, which no floating-point number equals.
 */
function asFraction(value: number) {
  const [mantissa = '0', exponent = '0'] = String(value).split('e');
  const [whole = '0', decimals = ''] = mantissa.split('.');
  const shift = decimals.length - Number(exponent);
  const numerator = BigInt(whole + decimals) * (shift < 0 ? 10n ** BigInt(-shift) : 1n);
  return { numerator, denominator: shift > 0 ? 10n ** BigInt(shift) : 1n };
}

/** ⌊n · value⌋, computed exactly. */
export function floorOfProduct(n: number, value: number) {
  const { numerator, denominator } = asFraction(value);
  return Number((BigInt(n) * numerator) / denominator);
}

/**
 * Part `index` (from 0) of `total`, divided into `parts` whole numbers that differ by at most one, with the
 * larger ones first.
 */
export function evenPart(total: number, parts: number, index: number): { start: number; size: number } {
  const least = Math.floor(total / parts);
  const larger = total % parts;
  return { start: index * least + Math.min(index, larger), size: least + (index < larger ? 1 : 0) };
}

/** The number if it is an exact whole number, otherwise undefined. */
export const exactOrUndefined = (value: number) => (Number.isSafeInteger(value) ? value : undefined);
