/** Kinds of names that are removed from a shared recording. */
type Kind = 'person' | 'host' | 'folder';

const hostKeys = new Set(['hostname', 'host']);
const personKeys = new Set(['executed_by', 'created_by', 'owner', 'username', 'user', 'requester', 'user_name']);

/** Keys whose values are workflow terms, which may resemble names. */
const wordKeys = new Set(['destination', 'msg_type', 'state', 'substate', 'status', 'method']);

const agentName = /^[\w ]+-agent-(.+)-\d+$/;
const executionName = /^\w+-(.+)-\d{4,}$/;
/** The name of a connection: namespace, role, host and a random suffix. */
const connectionName = /^[^.]+\.[A-Z]\w+\.(.+)\.[0-9a-f]{6,}$/;
const email = /[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+/g;
const address = /(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}(?![\d.])/g;
const urlHost = /(?<=[a-z][a-z0-9+.-]{0,30}:\/\/(?:[^\s/@]*@)?)[\w.-]+/gi;
/** An absolute path of at least two parts, except destinations and REST calls. */
const path = /(?<![\w/.:])\/(?!(?:topic|queue|api|swf-monitor)\/)[^\s"'<>:,;()]+\/(?=[^\s"'<>:,;()]*)/g;
const urlPath = /(?<=:\/\/[\w.-]+(?::\d+)?)\/[^\s"'<>:,;()]+\//g;

/** Words that occur where names are expected but are not names of people. */
const common = new Set(['', 'none', 'unknown', 'localhost', 'user', 'root', '***']);

/**
 * Replaces names of people, hosts and folders consistently. A recording is read twice: `collect` takes names
 * from the fields that contain names; `replace` returns a value in which these names are replaced wherever
 * they appear as whole words. Keys stay unchanged.
 */
export function createAnonymizer() {
  const names = new Map<string, string>();
  const counts = { person: 0, host: 0, folder: 0 };
  let word: RegExp | undefined;

  function add(kind: Kind, name = '') {
    if (common.has(name.toLowerCase()) || /^\d+$/.test(name) || names.has(name)) return;
    counts[kind] += 1;
    const numbered = `${kind}-${counts[kind]}`;
    names.set(name, kind === 'folder' ? `/${numbered}/` : numbered);
    word = undefined;
  }

  function collectText(text: string, key: string) {
    if (hostKeys.has(key)) add('host', text);
    if (key === 'broker') for (const server of text.split(',')) add('host', server.replace(/:\d+$/, ''));
    const agent = agentName.exec(text);
    if (agent !== null) add('person', agent[1]);
    else if (personKeys.has(key)) add('person', text);
    if (key === 'execution_id') add('person', executionName.exec(text)?.[1]);
    add('host', connectionName.exec(text)?.[1]);
    for (const [found] of text.matchAll(email)) add('person', found);
    for (const pattern of [address, urlHost]) for (const [found] of text.matchAll(pattern)) add('host', found);
    for (const pattern of [path, urlPath]) for (const [found] of text.matchAll(pattern)) add('folder', found);
  }

  function replaceText(text: string) {
    word ??= wordsOf([...names.keys()]);
    return word === undefined ? text : text.replace(word, (name) => names.get(name) ?? name);
  }

  function collect(value: unknown, key = '') {
    if (typeof value === 'string') collectText(value, key);
    else if (Array.isArray(value)) for (const one of value) collect(one, key);
    else if (typeof value === 'object' && value !== null)
      for (const [name, inner] of Object.entries(value)) collect(inner, name);
  }

  function replace(value: unknown): unknown {
    if (typeof value === 'string') return replaceText(value);
    if (Array.isArray(value)) return value.map(replace);
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(
      Object.entries(value).map(([key, inner]) => [key, wordKeys.has(key) ? inner : replace(inner)]),
    );
  }

  return { collect, replace };
}

/** The names as one pattern, longest first, so that a folder within a folder is replaced as a whole. */
function wordsOf(names: readonly string[]) {
  if (names.length === 0) return undefined;
  const escaped = names
    .toSorted((a, b) => b.length - a.length)
    .map((name) => {
      const text = name.replace(/[\\^$.*+?()[\]{}|/]/g, String.raw`\$&`);
      return name.startsWith('/') ? text : String.raw`(?<![A-Za-z0-9])${text}(?![A-Za-z0-9])`;
    });
  return new RegExp(escaped.join('|'), 'g');
}
