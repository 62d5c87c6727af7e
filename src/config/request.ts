import { resolve } from 'node:path';

import { configNamePattern } from '../domain/names.ts';
import { openSectionOf, openSections } from '../domain/params.ts';
import { configInvalid } from '../lib/errors.ts';
import { nearest } from '../lib/suggest.ts';
import { isFile } from './find-files.ts';
import { isTable, type Table } from './toml.ts';

/**
 * Turns a request's parameters into configuration sections. Keys may be in their section, or bare as the testbed sends them. Throws `CONFIG_INVALID`
 * for keys that a request may not set.
 */
export function requestedSections(params: Readonly<Record<string, unknown>>): Table {
  const sections: Record<string, Table> = {};
  for (const [key, value] of Object.entries(params)) {
    const isSection = Object.hasOwn(openSections, key) && isTable(value);
    const home = isSection ? key : openSectionOf(key);
    if (home === undefined) {
      const known = Object.values(openSections).flatMap(({ shape }) => Object.keys(shape));
      throw configInvalid(
        `the request sets ${key}, which it may not; the nearest that it may set is ${nearest(key, known, 1)[0]}`,
      );
    }
    sections[home] = { ...sections[home], ...(isSection ? value : { [key]: value }) };
  }
  return sections;
}

/** Returns the name of a configuration that a request gives. Throws `CONFIG_INVALID` for a path. */
export function requireBareName(name: string | undefined, workingFolder: string): string | undefined {
  if (name === undefined) return name;
  if (!configNamePattern.test(name))
    throw configInvalid(
      `the request names the configuration ${JSON.stringify(name)}; it may give the bare name of a configuration only, such as fast_processing_default`,
    );
  if (isFile(resolve(workingFolder, name)))
    throw configInvalid(
      `the request names the configuration ${JSON.stringify(name)}; a file of that name in the working folder would be taken instead: rename it`,
    );
  return name;
}
