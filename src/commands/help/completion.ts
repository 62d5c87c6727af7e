import type { Argument, Command, Option } from 'commander';

import { knownConfigs } from '../../config/find-files.ts';
import { summarized } from '../../domain/summary-words.ts';
import { networkFileSystemOf } from '../../lib/network-file-system.ts';
import { tried } from '../../lib/tried.ts';
import { configPlaces, type Io, storePath } from '../shared/io.ts';
import { createStoreReader, type StoreReader } from '../shared/store-reader.ts';
import { commandGroups } from './help.ts';

/** Asks the program for the words that complete a line, and offers them as each shell requires. */
const scripts = {
  bash: `# swf-mcp completion for bash: eval "$(swf-mcp completion bash)"
_swf_mcp() {
  local IFS=$'\\n' word="\${COMP_WORDS[COMP_CWORD]}" program
  program="$(type -P "\${COMP_WORDS[0]/#\\~\\//$HOME/}" || type -P swf-mcp)" || return
  COMPREPLY=($("$program" completion words -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null | cut -f 1))
  if [ "\${COMPREPLY[0]}" = :files ]; then compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -f -- "\${word#=}")); fi
}
complete -F _swf_mcp swf-mcp
`,
  zsh: `#compdef swf-mcp
# swf-mcp completion for zsh: eval "$(swf-mcp completion zsh)"
_swf_mcp() {
  local line
  local -a found
  for line in \${(f)"$(\${~words[1]} completion words -- "\${(@)words[2,CURRENT]}" 2>/dev/null)"}; do
    [[ $line == :files* ]] && { compset -P '--*='; _files; return }
    found+=("\${line/$'\\t'/:}")
  done
  _describe word found
}
compdef _swf_mcp swf-mcp
`,
  fish: `# swf-mcp completion for fish: swf-mcp completion fish | source
function __swf_mcp
  set -l words (commandline -opc)
  set -l program (string replace -r '^~/' "$HOME/" -- $words[1])
  set -l found ($program completion words -- $words[2..] (commandline -ct) 2>/dev/null)
  if string match -q ':files*' -- $found[1]
    __fish_complete_path (commandline -ct)
  else
    printf '%s\\n' $found
  end
end
complete -c swf-mcp -f -a '(__swf_mcp)'
`,
} as const;

interface CompletionArguments {
  /** The shell whose completion script is printed; or `words`, with which that script requests completions. */
  shell: keyof typeof scripts | 'words';
  /** The words of the line after the program's name; the last word is the one to complete. */
  words: readonly string[];
}

/**
 * `swf-mcp completion`: prints a shell's completion script or, for `words`, a line for each possible
 * completion: the word, a tab, its meaning.
 */
export const completionCommand =
  (program: Command) =>
  async (io: Io, { shell, words }: CompletionArguments) => {
    if (shell !== 'words') return io.out(scripts[shell]);
    const line = words.filter((word) => word !== '=').flatMap((word) => plainWords(word, io.env['HOME']));
    const word = words.at(-1) ?? '';
    // Bash treats each `=` as a word of its own; other shells replace the flag together with its value.
    if (word === '=') line.push('');
    const [flag = ''] = /^--[^=]+=/.exec(word) ?? [];
    const current = line.at(-1) ?? '';
    const found = await completed(io, program, line.slice(0, -1), current);
    for (const one of found)
      if (one === files) io.out(`${one}\n`);
      else if (one.startsWith(current)) io.out(`${flag}${one}\n`);
  };

/** A word as the shell would read it; `--flag=value` becomes two words. */
function plainWords(word: string, home = '') {
  const plain = word.replaceAll(/["'\\]/g, '').replace(/(?<=^|=)~(?=\/)/, home);
  return /^(--[^=]+)=(.*)$/.exec(plain)?.slice(1) ?? [plain];
}

async function completed(io: Io, program: Command, before: readonly string[], current: string) {
  const name = before.find((word, at) => !word.startsWith('-') && before[at - 1] !== '--db');
  const command = program.commands.find((one) => one.name() === name) ?? program;
  const options = [...command.options, ...program.options].filter(({ hidden }) => !hidden);
  const last = before.at(-1);
  const flag = options.find(({ long, short }) => last !== undefined && [long, short].includes(last));
  const store = { ...io, db: before.find((_, at) => before[at - 1] === '--db') ?? io.db };
  if (flag !== undefined && !flag.isBoolean()) return valuesOf(store, flag);
  if (current.startsWith('-'))
    return options.flatMap(({ long, short, description }) => [`${long}\t${description}`, ...(short ? [short] : [])]);
  const owners = command === program ? [] : [command, ...command.commands];
  const places = owners.flatMap(({ registeredArguments }) => registeredArguments);
  const words = await Promise.all(places.map((place) => valuesOf(store, place)));
  return [...command.commands.map((one) => `${one.name()}\t${one.description()}`), ...words.flat()];
}

/** The words allowed as an argument or as a flag's value. */
async function valuesOf(io: Io, place: Argument | Option) {
  const name = 'flags' in place ? (/[<[](.+)[>\]]/.exec(place.flags)?.[1] ?? '') : place.name();
  return place.argChoices ?? (await Promise.all(name.split('|').map((part) => wordsNamed(io, part)))).flat();
}

/** Stands for file names, which the shell completes itself. */
const files = ':files';

async function wordsNamed(io: Io, name: string) {
  if (/^(?:file|folder|path)\b/i.test(name)) return [files];
  if (Object.hasOwn(known, name)) return known[name as keyof typeof known](io);
  // The name of an argument may include literal words, as in <EXECUTION_ID|none>.
  return /^[a-z_]+$/.test(name) ? [name] : [];
}

/** Functions that list the possible words, by the name of an argument or a flag's value. */
const known = {
  EXECUTION_ID: (io: Io) => ['latest', ...inStore(io, (queries) => queries.recentExecutionIds())],
  ID: (io: Io) =>
    inStore(io, (queries) => [...new Set(queries.openAlarms().map(({ alarm_id }) => alarm_id.replace(/:.*/, '')))]),
  DATA_FILE: (io: Io) => inStore(io, newestFiles),
  COMMAND: () => Object.values(commandGroups).flat(),
  CONFIG: (io: Io) => knownConfigs(configPlaces(io)).map((config) => config.name),
  TOOL: async () => (await import('../../tools/index.ts')).tools.map((tool) => tool.name),
  WHAT: () => summarized,
};

type Queries = ReturnType<StoreReader['queries']>;

/** How many files of the newest execution to name: people mostly look at the newest files. */
const shownFiles = 100;

function newestFiles(queries: Queries) {
  const { execution_id } = queries.execution('latest');
  const page = { order: 'newest', limit: shownFiles, uncounted: true } as const;
  const failed = queries.tfSlices({ execution_id, status: 'failed' }, page).rows;
  const stfs = queries.stfFiles({ execution_id }, page).rows;
  return [...failed.map(({ slice_filename }) => slice_filename), ...stfs.map(({ stf_filename }) => stf_filename)];
}

/** Names in the store, newest first; none if there is no store. */
function inStore(io: Io, namesIn: (queries: Queries) => readonly string[]) {
  // Reads nothing from a network file system: all of the store would have to be read, and a person does not
  // wait that long for a completion.
  if (networkFileSystemOf(storePath(io)) !== undefined) return [];
  using reader = createStoreReader(io);
  return plainIds(tried(() => namesIn(reader.queries())) ?? []);
}

/**
 * The ids that are safe to offer to a shell. A shell expands words, and an id may come from another
 * program's message, so only plain ids are offered; bash also breaks words at a colon.
 */
export const plainIds = (ids: readonly string[]) => ids.filter((id) => /^\w[\w.+~/-]*$/.test(id));
