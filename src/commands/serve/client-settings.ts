import { isDeepStrictEqual } from 'node:util';

import { parse as parseToml, patch as patchToml, stringify } from '@decimalturn/toml-patch';
import { applyEdits, modify, parse as parseJson, type ParseError, printParseErrorCode } from 'jsonc-parser';

import { configInvalid, messageOf } from '../../lib/errors.ts';
import { isObject } from '../../lib/read-json.ts';
import { tried } from '../../lib/tried.ts';

/** A client's settings, or part of them. */
export type Settings = Record<string, unknown>;

/** How a client starts a server over stdio, with the client's other settings for that server. */
export interface Entry extends Settings {
  type?: 'stdio';
  command: string;
  args: string[];
}

/** The name of the entry. */
export const server = 'swf-mcp';

/** Sets or removes the entry in JSON that may have the comments and trailing commas that VS Code allows. */
export function changedJson(text: string, key: string, entry: Entry | undefined, file: string) {
  const [wrong] = errorsIn(text);
  if (wrong !== undefined)
    throw configInvalid(
      `${file} is not JSON: ${printParseErrorCode(wrong.error)} at character ${wrong.offset + 1}; fix it first`,
    );
  const settings = settingsOf(text);
  if (!isObject(settings) || !isObject(settings[key] ?? {}) || settings[key] === null)
    throw configInvalid(`${file}: ${JSON.stringify(key)} is not an object of servers; fix it first`);
  if (isDeepStrictEqual(entryIn(settings, key), entry)) return text;
  // The new entry is placed before all others: after them, it could separate another entry from that entry's
  // comment.
  const usesTabs = /^\t/m.test(text);
  const formattingOptions = {
    insertSpaces: !usesTabs,
    tabSize: /^( +)\S/m.exec(text)?.[1]?.length ?? 2,
    eol: eolOf(text),
    keepLines: true,
  };
  const changed = applyEdits(
    text,
    modify(text, [key, server], entry, { formattingOptions, getInsertionIndex: () => 0 }),
  );
  return changed.endsWith('\n') || text !== '' ? changed : `${changed}\n`;
}

const eolOf = (text: string) => (text.includes('\r\n') ? '\r\n' : '\n');

function errorsIn(text: string) {
  const errors: ParseError[] = [];
  parseJson(text, errors, { allowTrailingComma: true, allowEmptyContent: true });
  return errors;
}

export const settingsOf = (text: string) =>
  (parseJson(text, [], { allowTrailingComma: true }) as Settings | undefined) ?? {};

export const entryIn = (settings: Settings, key: string) => (settings[key] as Settings | undefined)?.[server];

/** Sets or removes the entry in TOML: as a table at the end of the file, where it disturbs no other table. */
export function changedToml(text: string, key: string, entry: Entry | undefined, file: string) {
  try {
    const settings = tomlOf(text);
    const there = entryIn(settings, key);
    if (isDeepStrictEqual(there, entry)) return text;
    const { [server]: _, ...others } = (settings[key] ?? {}) as Settings;
    const kept = there === undefined ? text : withoutTable(text, key, others);
    const changed = entry === undefined ? kept : withTable(kept, `${key}.${server}`, entry);
    const expected = { ...settings, [key]: entry === undefined ? others : { ...others, [server]: entry } };
    if (isDeepStrictEqual({ [key]: {}, ...tomlOf(changed) }, expected)) return changed;
    throw new Error('writing the entry would change other entries');
  } catch (error) {
    throw configInvalid(`${file} cannot be changed: ${messageOf(error)}; change it by hand`, { cause: error });
  }
}

/** The text without the server's own table. Comments and blank lines before the next table belong to that table. */
function withoutTable(text: string, key: string, others: Settings) {
  const header = new RegExp(String.raw`^\s*\[\s*${key}\s*\.\s*"?${server}"?\s*[.\]]`);
  let isOurs = false;
  let between: string[] = [];
  const kept = text.split(/(?<=\n)/).flatMap((line) => {
    const isHeader = /^\s*\[/.test(line);
    const before = isHeader ? between : [];
    if (isHeader) isOurs = header.test(line);
    between = isOurs && /^\s*(?:#|$)/.test(line) ? [...between, line] : [];
    return isOurs ? before : [...before, line];
  });
  const without = [...kept, ...between].join('');
  const expected = { ...tomlOf(text), [key]: others };
  // The values differ if the entry is written in another form, for example as an inline table.
  return isDeepStrictEqual({ [key]: {}, ...tried(() => tomlOf(without)) }, expected)
    ? without
    : patchToml(text, { ...parseToml(text), [key]: others });
}

/** Plain objects, which can be compared; times become texts. */
export const tomlOf = (text: string) => JSON.parse(JSON.stringify(parseToml(text))) as Settings;

function withTable(text: string, name: string, entry: Entry) {
  const gap = text === '' ? '' : text.endsWith('\n') ? '\n' : '\n\n';
  const table = stringify({ [server]: entry }).replace(`[${server}]`, `[${name}]`);
  return `${text}${`${gap}${table}`.replaceAll('\n', eolOf(text))}`;
}
