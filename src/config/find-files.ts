import { statSync } from 'node:fs';
import { basename, dirname, isAbsolute, join, resolve } from 'node:path';

import { usualConfiguration } from '../domain/names.ts';
import { SwfError } from '../lib/errors.ts';
import { namesIn } from '../lib/file-system.ts';
import { closest } from '../lib/suggest.ts';
import { tried } from '../lib/tried.ts';

export interface ConfigPlaces {
  /** The folder in which to look for `./workflows`. */
  workingFolder: string;
  /** The files that the package ships. */
  shippedFolder: string;
}

/**
 * Finds the file that `SWF_TESTBED_CONFIG` names. A bare name is looked for in `./workflows`, as in the
 * testbed. Throws `CONFIG_NOT_FOUND`.
 */
export function findTestbedFile(name: string, { workingFolder }: ConfigPlaces) {
  const path = name.includes('/') ? resolve(workingFolder, name) : join(workingFolder, 'workflows', name);
  if (isFile(path)) return path;
  throw new SwfError(
    'CONFIG_NOT_FOUND',
    `SWF_TESTBED_CONFIG = ${JSON.stringify(name)}: there is no file ${path}; fix or unset it`,
  );
}

/** Finds the file for a configuration's name or path. Throws `CONFIG_NOT_FOUND` with the places searched. */
export function findConfig(name: string, places: ConfigPlaces) {
  const asPath = isAbsolute(name) ? name : resolve(places.workingFolder, name);
  if (name.includes('/') || isFile(asPath)) {
    if (isFile(asPath)) return asPath;
    const problem = isFolder(asPath)
      ? `${asPath} is a folder; name a configuration file in it`
      : `there is no configuration file ${asPath}; check the path`;
    throw new SwfError('CONFIG_NOT_FOUND', problem);
  }
  const candidates = [name, `${name}.toml`, ...(name.endsWith('_default') ? [] : [`${name}_default.toml`])];
  const paths = foldersOf(places).flatMap((folder) => candidates.map((candidate) => join(folder, candidate)));
  const found = paths.find(isFile);
  if (found !== undefined) return found;
  // Short names count too: histogram stands for histogram_default.
  const shortNames = knownConfigs(places).flatMap((one) => [one.name, one.name.replace(/_default$/, '')]);
  throw new SwfError(
    'CONFIG_NOT_FOUND',
    `there is no configuration ${JSON.stringify(name)}: no ${candidates.join(', ')} in ./workflows or among the shipped files; ${nearestWords(name, shortNames)}"swf-mcp config --list" lists them all; the default is ${usualConfiguration}`,
  );
}

const foldersOf = (places: ConfigPlaces) => [join(places.workingFolder, 'workflows'), places.shippedFolder];

function nearestWords(name: string, known: readonly string[]) {
  const near = closest(name, known);
  return near === undefined ? '' : `the nearest is ${near}; `;
}

/** All named configurations with their files; files in `./workflows` hide shipped files of the same name. */
export function knownConfigs(places: ConfigPlaces) {
  const found = new Map<string, string>();
  for (const folder of foldersOf(places))
    for (const file of namesIn(folder).filter((one) => one.endsWith('.toml'))) {
      const name = basename(file, '.toml');
      if (!found.has(name)) found.set(name, join(folder, file));
    }
  return [...found].map(([name, path]) => ({ name, path })).toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

/** Whether a path is an accessible file. */
export const isFile = (path: string) => tried(() => statSync(path).isFile()) ?? false;

const isFolder = (path: string) => tried(() => statSync(path).isDirectory()) ?? false;

/**
 * Finds an included file next to the including file. A bare name may also be a shipped file. Throws
 * `CONFIG_NOT_FOUND`, which names the including file.
 */
export function findInclude(include: string, path: string, { shippedFolder }: ConfigPlaces) {
  const isBare = !include.includes('/');
  const folders = [dirname(path), ...(isBare ? [shippedFolder] : [])];
  const found = folders.map((folder) => resolve(folder, include)).find(isFile);
  if (found !== undefined) return found;
  const places = isBare ? 'next to it or among the shipped files' : `at ${resolve(dirname(path), include)}`;
  const known = folders.flatMap(namesIn).filter((name) => name.endsWith('.toml') && name !== basename(path));
  throw new SwfError(
    'CONFIG_NOT_FOUND',
    `${path} includes ${JSON.stringify(include)}, but there is no such file ${places}; ${nearestWords(include, known)}fix workflow.includes`,
  );
}
