import type { Command, Option } from 'commander';

export const shells = ['bash', 'zsh', 'fish'] as const;

export type Shell = (typeof shells)[number];

/** A command as a shell completes it. */
type Completed = ReturnType<typeof completedOf>[number];

/** What a store has, by the argument that names one: the script asks for it when it is wanted. */
export const storeKinds = { EXECUTION_ID: 'ids', ID: 'alarms', DATA_FILE: 'files' } as const;

export type StoreKind = (typeof storeKinds)[keyof typeof storeKinds];

/**
 * The ids that a shell may be given. It expands words, and an id may come from a message of another program,
 * so only plain ones count; bash breaks words at a colon.
 */
export const plainIds = (ids: readonly string[]) => ids.filter((id) => /^\w[\w.+~/-]*$/.test(id));

/** What of the store an argument may be. */
const kindOf = (name: string): StoreKind | undefined =>
  Object.entries(storeKinds).find(([argument]) => name.split('|').includes(argument))?.[1];

const flagOf = (option: Option) => ({
  names: [option.long, option.short].filter((name) => name !== undefined && name !== null),
  takesValue: option.required || option.optional,
  isFile: /<(?:file|path|folder)>/i.test(option.flags),
  kind: option.flags.includes('EXECUTION_ID') || option.long === '--execution-id' ? ('ids' as const) : undefined,
  values: option.argChoices ?? valuesOf(option),
  about: option.description,
});

/** The values that a flag lists itself: `--status <queued|failed>`. */
function valuesOf({ flags }: Option) {
  const inner = /<([a-z_]+(?:\|[a-z_]+)+)>/.exec(flags)?.[1];
  return inner === undefined ? [] : inner.split('|');
}

/** Words that an argument may be, by its name. */
export type KnownWords = Readonly<Record<string, readonly string[]>>;

const completedOf = (program: Command, known: KnownWords) =>
  program.commands.map((command) => ({
    name: command.name(),
    about: command.description(),
    flags: [...command.options, ...program.options].filter(({ hidden }) => !hidden).map(flagOf),
    // Words that its arguments may be.
    words: [
      ...command.commands.map((own) => own.name()),
      ...command.registeredArguments.flatMap((argument) => [
        ...(argument.argChoices ?? []),
        // An argument may list words, such as <EXECUTION_ID|none>.
        ...argument
          .name()
          .split('|')
          .flatMap((word) => known[word] ?? (/^[a-z]+$/.test(word) ? [word] : [])),
      ]),
    ],
    // Of its arguments, and of those of its own commands.
    kind: [command, ...command.commands]
      .flatMap(({ registeredArguments }) => registeredArguments)
      .map((argument) => kindOf(argument.name()))
      .find((kind) => kind !== undefined),
  }));

/**
 * A script that makes a shell complete commands, flags and their values. Made from the same commands as the
 * help.
 */
export function completionScript(program: Command, shell: Shell, known: KnownWords) {
  const commands = completedOf(program, known);
  return { bash: bashScript, zsh: zshScript, fish: fishScript }[shell](commands);
}

const quoted = (text: string) => `'${text.replaceAll("'", String.raw`'\''`)}'`;

const wordsOf = ({ flags, words }: Completed) => [...words, ...flags.flatMap(({ names }) => names)].join(' ');

function bashScript(commands: readonly Completed[]) {
  const names = commands.map(({ name }) => name).join(' ');
  const cases = commands.map((command) => {
    const wordsAndIds = (words: string, kind: StoreKind | undefined) =>
      `-W ${quoted(words)}${kind === undefined ? '' : `" $(_swf_mcp_ids ${kind})"`}`;
    const values = command.flags
      .filter(({ takesValue }) => takesValue)
      .map(
        ({ names: flags, values: words, isFile, kind }) =>
          `      ${flags.join('|')}) COMPREPLY=($(compgen ${isFile ? '-f' : wordsAndIds(words.join(' '), kind)} -- "$word")); return ;;`,
      );
    return [
      `    ${command.name})`,
      `      case "$before" in`,
      ...values,
      `      esac`,
      `      COMPREPLY=($(compgen ${wordsAndIds(wordsOf(command), command.kind)} -- "$word")) ;;`,
    ].join('\n');
  });
  return `# swf-mcp completion for bash: eval "$(swf-mcp completion bash)"
# A word without its quotes, its ~ expanded.
_swf_mcp_plain() {
  local word="\${1//[\\"\\'\\\\]/}"
  printf '%s' "\${word/#\\~\\//$HOME/}"
}
_swf_mcp_ids() {
  local program
  program="$(type -P "$(_swf_mcp_plain "\${COMP_WORDS[0]}")" || type -P swf-mcp)" || return
  case "$word" in -*) ;; *) "$program" \${db:+--db "$(_swf_mcp_plain "$db")"} completion "$1" 2>/dev/null ;; esac
}
_swf_mcp() {
  local word="\${COMP_WORDS[COMP_CWORD]}" before="\${COMP_WORDS[COMP_CWORD-1]}" command= db= i
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "\${COMP_WORDS[i]}" in
      # Bash makes three words of --db=FILE.
      --db) i=$((i + 1)); [ "\${COMP_WORDS[i]}" = = ] && i=$((i + 1)); db="\${COMP_WORDS[i]}" ;;
      -*) ;;
      *) command="\${command:-\${COMP_WORDS[i]}}" ;;
    esac
  done
  if [ "$before" = --db ] || [ "$before" = = -a "\${COMP_WORDS[COMP_CWORD-2]}" = --db ]; then COMPREPLY=($(compgen -f -- "$word")); return; fi
  case "$command" in
    '') COMPREPLY=($(compgen -W ${quoted(`${names} --db --version --help`)} -- "$word")) ;;
${cases.join('\n')}
  esac
}
complete -o default -F _swf_mcp swf-mcp
`;
}

function zshScript(commands: readonly Completed[]) {
  const described = (text: string) => text.replaceAll(/[[\]:]/g, ' ');
  const list = commands.map(({ name, about }) => `    ${quoted(`${name}:${described(about)}`)}`);
  const cases = commands.map((command) => {
    const flags = command.flags.flatMap(({ names, takesValue, isFile, kind, values, about }) =>
      names.map((name) => {
        const value = takesValue
          ? `:value:${isFile ? '_files' : kind === undefined ? `(${values.join(' ')})` : `_swf_mcp_${kind}`}`
          : '';
        return quoted(`${name}[${described(about)}]${value}`);
      }),
    );
    const all = command.words.join(' ');
    const named = command.kind === undefined ? `(${all})` : `_swf_mcp_${command.kind} ${all}`;
    const isPlain = all === '' && command.kind === undefined;
    const words = quoted(isPlain ? '*:file:_files' : `*:word:${named.trim()}`);
    return `    ${command.name}) _arguments ${[...flags, words].join(' ')} ;;`;
  });
  return `#compdef swf-mcp
# swf-mcp completion for zsh: eval "$(swf-mcp completion zsh)"
_swf_mcp_of() {
  local kind=$1; shift
  local -a db
  [[ -n $store ]] && db=(--db "\${\${(Q)store}/#\\~\\//$HOME/}")
  compadd "$@" $("\${$(whence -p "\${program/#\\~\\//$HOME/}"):-swf-mcp}" $db completion $kind 2>/dev/null)
}
${Object.values(storeKinds)
  .map((kind) => `_swf_mcp_${kind}() { _swf_mcp_of ${kind} "$@" }`)
  .join('\n')}
_swf_mcp() {
  local program=$words[1] store= i n
  for (( i = 2; i < CURRENT; i++ )); do
    case $words[i] in
      --db) store=$words[i+1] ;;
      --db=*) store=\${words[i]#--db=} ;;
    esac
  done
  # The command is the second word of the rest.
  while [[ $words[2] == --db* ]]; do
    [[ $words[2] == --db ]] && n=2 || n=1
    (( CURRENT > n + 1 )) || { _files; return }
    words=("$words[1]" "\${(@)words[n+2,-1]}"); (( CURRENT -= n ))
  done
  local -a commands
  commands=(
${list.join('\n')}
  )
  if (( CURRENT == 2 )); then _describe command commands; return; fi
  local command=$words[2]
  shift words; (( CURRENT-- ))
  case "$command" in
${cases.join('\n')}
  esac
}
compdef _swf_mcp swf-mcp
`;
}

const fishWords = (kind: StoreKind) => `'(__swf_mcp_of ${kind})'`;

function fishScript(commands: readonly Completed[]) {
  const names = commands.map(({ name }) => name).join(' ');
  const lines = commands.flatMap((command) => {
    const within = `complete -c swf-mcp -n "__fish_seen_subcommand_from ${command.name}"`;
    const words = command.words.length === 0 ? [] : [quoted(command.words.join(' '))];
    const ids = command.kind === undefined ? [] : [fishWords(command.kind)];
    const flags = command.flags.flatMap(({ names: all, takesValue, isFile, kind, values, about }) => {
      const listed = kind === undefined ? quoted(values.join(' ')) : fishWords(kind);
      const value = takesValue ? (isFile ? ' -r' : ` -x -a ${listed}`) : '';
      const formOf = (flag: string) => (flag.startsWith('--') ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`);
      return all.map((flag) => `${within} ${formOf(flag)}${value} -d ${quoted(about)}`);
    });
    return [
      `complete -c swf-mcp -n "not __fish_seen_subcommand_from ${names}" -f -a ${command.name} -d ${quoted(command.about)}`,
      ...[...words, ...ids].map((list) => `${within} -a ${list}`),
      ...flags,
    ];
  });
  return `# swf-mcp completion for fish: swf-mcp completion fish | source
function __swf_mcp_of
  set -l words (string replace -r '^(--db=)?~/' "\\$1$HOME/" -- (commandline -opc))
  set -l db (string match -r -- '^--db=.*' $words)
  if set -l at (contains -i -- --db $words)
    set db --db $words[(math $at + 1)]
  end
  $words[1] $db completion $argv[1] 2>/dev/null
end
${lines.join('\n')}
`;
}
