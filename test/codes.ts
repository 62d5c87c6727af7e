import { fileURLToPath } from 'node:url';

import { expect } from 'vitest';

/** The code of an error as people and programs get it: one line, after any warnings. Undefined for anything else. */
export const codeOf = (said: string): string | undefined =>
  /^(?:WARNING [^\n]*\n)*([A-Z]+_[A-Z_]+): [^\n]+\n?$/.exec(said)?.[1];

/** What differs from run to run in an error, and what stands for it. */
const varying: readonly (readonly [RegExp, string])[] = [
  [/\/\S*?\/case-\w+/g, 'FOLDER'],
  [/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'TIME'],
  [/(?<=\b(?:schema version|knows|needs) )\d+/g, 'VERSION'],
];

/**
 * Compares errors, by the case that leads to each, with `golden/errors/<name>.json`, where their sentences stand once: other tests compare codes.
 * `vitest -u` writes the file.
 */
export async function expectErrors(name: string, errors: Readonly<Record<string, string>>): Promise<void> {
  const told = Object.entries(errors).map(([of, said]) => {
    expect({ of, said, code: codeOf(said) }).toMatchObject({ code: expect.any(String) });
    return [of, varying.reduce((text, [found, instead]) => text.replaceAll(found, instead), said.trimEnd())];
  });
  const golden = JSON.stringify(Object.fromEntries(told), null, 2);
  await expect(`${golden}\n`).toMatchFileSnapshot(
    fileURLToPath(new URL(`golden/errors/${name}.json`, import.meta.url)),
  );
}
