/** A number with its noun: `1 slice`, `2 slices`. */
export const counted = (n: number, one: string, many = `${one}s`): string => `${n} ${n === 1 ? one : many}`;
