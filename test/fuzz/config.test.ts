import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { loadConfig } from '../../src/config/load.ts';
import { knownKeys } from '../../src/config/schema.ts';
import { SwfError } from '../../src/lib/errors.ts';
import { temporaryFolder } from '../helpers.ts';
import { rounds } from '../rounds.ts';

const shippedFolder = resolve('workflows');
const shipped = readFileSync(join(shippedFolder, 'fast_processing_default.toml'), 'utf8');

/** Loads a configuration; an error must be one line. Returns whether it was accepted. */
function expectClear(load: () => unknown): boolean {
  try {
    load();
    return true;
  } catch (error) {
    expect(error).toBeInstanceOf(SwfError);
    expect((error as SwfError).line).toMatch(/^CONFIG_(INVALID|NOT_FOUND): [^\n]+$/);
    return false;
  }
}

/** Neither all refused nor all accepted: else the rounds would prove nothing. */
function expectBoth(accepted: number, all: number): void {
  expect(accepted / all).toBeGreaterThan(0.03);
  expect(accepted / all).toBeLessThan(0.9);
}

describe('any configuration', () => {
  it('is loaded, or refused in one line', () => {
    const workingFolder = temporaryFolder();
    const changed = fc
      .tuple(fc.nat(shipped.length), fc.nat(30), fc.string({ maxLength: 20 }))
      .map(([at, length, text]) => shipped.slice(0, at) + text + shipped.slice(at + length));
    const lines = fc.array(
      fc.oneof(
        fc.constantFrom(
          '[testbed]',
          '[workflow]',
          '[[agents]]',
          '[__proto__]',
          '[constructor]',
          'includes = ["mine.toml"]',
          'namespace = "a"',
          'x = 2021-02-30',
          'y = 9223372036854775808',
          '"\\ud800" = 1',
          'a.b.c = 1',
          '\uFEFF',
        ),
        fc.string({ maxLength: 20 }),
      ),
      { maxLength: 8 },
    );
    let accepted = 0;
    fc.assert(
      fc.property(
        fc.oneof(
          changed,
          lines.map((some) => some.join('\n')),
          fc.string({ unit: 'binary', maxLength: 100 }),
        ),
        (text) => {
          writeFileSync(join(workingFolder, 'mine.toml'), text);
          if (expectClear(() => loadConfig({ name: './mine.toml', workingFolder, shippedFolder }))) accepted += 1;
        },
      ),
      { numRuns: rounds(2000), seed: 5 },
    );
    expectBoth(accepted, rounds(2000));
  });

  it('set by --set is accepted, or refused in one line', () => {
    const workingFolder = temporaryFolder();
    const key = fc.oneof(fc.constantFrom(...knownKeys, '__proto__.x', 'testbed', 'a.b'), fc.string({ maxLength: 20 }));
    const value = fc.oneof(
      fc.constantFrom('0', '-1', '1e400', 'true', '[]', '{}', '"x"', '[1', 'nan', '2021-02-30'),
      fc.string({ unit: 'binary', maxLength: 20 }),
    );
    let accepted = 0;
    fc.assert(
      fc.property(key, value, (name, text) => {
        if (expectClear(() => loadConfig({ sets: [`${name}=${text}`], workingFolder, shippedFolder }))) accepted += 1;
      }),
      { numRuns: rounds(2000), seed: 5 },
    );
    expectBoth(accepted, rounds(2000));
  });
});
