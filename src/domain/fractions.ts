/** A decimal number as an exact fraction: 0.29 is 29/100, which no floating-point number is. */
function asFraction(value: number): { numerator: bigint; denominator: bigint } {
  const [mantissa = '0', exponent = '0'] = String(value).split('e');
  const [whole = '0', decimals = ''] = mantissa.split('.');
  const shift = decimals.length - Number(exponent);
  const numerator = BigInt(whole + decimals) * (shift < 0 ? 10n ** BigInt(-shift) : 1n);
  return { numerator, denominator: shift > 0 ? 10n ** BigInt(shift) : 1n };
}

/** ⌊n · value⌋, exactly. */
export function floorOfProduct(n: number, value: number): number {
  const { numerator, denominator } = asFraction(value);
  return Number((BigInt(n) * numerator) / denominator);
}

/**
 * Part `index` (from 0) of `total`, cut into `parts` whole numbers that differ by at most one, the larger
 * ones first.
 */
export function evenPart(total: number, parts: number, index: number): { start: number; size: number } {
  const least = Math.floor(total / parts);
  const larger = total % parts;
  return { start: index * least + Math.min(index, larger), size: least + (index < larger ? 1 : 0) };
}

/** A whole number if it is exact, or undefined. */
export const exactOrUndefined = (value: number) => (Number.isSafeInteger(value) ? value : undefined);
