/**
 * The probability that a draw without replacement has at least `observed` marked items: the upper tail of
 * the hypergeometric distribution.
 * @param urn the total number of items, and the numbers of marked and drawn items
 * @returns from 0 to 1
 */
export function probabilityOfAtLeast(
  observed: number,
  { items, marked, drawn }: { items: number; marked: number; drawn: number },
): number {
  const most = Math.min(marked, drawn);
  if (observed > most) return 0;
  if (observed <= Math.max(0, drawn - (items - marked))) return 1;
  const all = logChoose(items, drawn);
  let sum = 0;
  // The terms shrink towards `most`, so add the small ones first.
  for (let k = most; k >= observed; k -= 1)
    sum += Math.exp(logChoose(marked, k) + logChoose(items - marked, drawn - k) - all);
  return Math.min(1, sum);
}

/** The logarithm of the number of ways to choose k things from n. */
export const logChoose = (n: number, k: number) => logFactorial(n) - logFactorial(k) - logFactorial(n - k);

const logFactorials = [0];

/** Caches the logarithms of factorials: each tail probability needs the same thousands of them. */
function logFactorial(n: number) {
  for (let next = logFactorials.length; next <= n; next += 1)
    logFactorials.push((logFactorials[next - 1] as number) + Math.log(next));
  return logFactorials[n] as number;
}
