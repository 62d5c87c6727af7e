const strange: unknown[] = [null, '', 'none', -1, 1.5, 2 ** 60, true, [], {}, [[]], 'x'.repeat(2000), '__proto__'];

/** A body with some keys changed, dropped or added. */
export function spoilt(value: unknown, roll: () => number): unknown {
  if (roll() < 0.08) return strange[Math.floor(roll() * strange.length)];
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((one) => spoilt(one, roll));
  const fields = Object.entries(value).flatMap(([key, one]) =>
    roll() < 0.06 ? [] : [[key, spoilt(one, roll)] as const],
  );
  return Object.fromEntries(roll() < 0.1 ? [...fields, [`new_${Math.floor(roll() * 9)}`, 1]] : fields);
}
