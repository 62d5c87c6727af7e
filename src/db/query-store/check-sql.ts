import { argumentInvalid } from '../../lib/errors.ts';
import { closest } from '../../lib/suggest.ts';
import { clause, wordsOf } from '../../lib/words.ts';
import { documentedViews } from '../migrations/documented-views.ts';

/** An SQL token; separators are left out. Names are in lower case and unquoted, as SQLite compares them. */
interface Token {
  kind: 'space' | 'name' | 'quoted' | 'text' | 'number' | 'sign';
  text: string;
}

const pattern =
  /(?<space>[ \t\n\f\r]+|--[^\n]*|\/\*[\s\S]*?(?:\*\/|$))|(?<text>[xX]?'(?:[^']|'')*'?)|(?<quoted>"(?:[^"]|"")*"?|`(?:[^`]|``)*`?|\[[^\]]*\]?)|(?<number>\d[\w.]*|\.\d[\w.]*)|(?<name>[A-Za-z_\u0080-\uFFFF$][\w\u0080-\uFFFF$]*)|(?<sign>[\s\S])/gy;

/** The tokens of a statement, without whitespace and comments. */
const tokensOf = (sql: string) =>
  [...sql.matchAll(pattern)].flatMap(({ groups = {} }): Token[] => {
    const [kind, text] = Object.entries(groups).find(([, found]) => found !== undefined) as [Token['kind'], string];
    if (kind === 'space') return [];
    return [{ kind, text: kind === 'quoted' ? unquoted(text) : kind === 'name' ? text.toLowerCase() : text }];
  });

function unquoted(quoted: string) {
  const [mark = ''] = quoted;
  const name = quoted.slice(1, -1).toLowerCase();
  return mark === '[' ? name : name.replaceAll(mark + mark, mark);
}

export const viewNames = Object.keys(documentedViews);

/**
 * Allows one `SELECT` over the documented views. For anything else, throws `ARGUMENT_INVALID`, saying what is
 * wrong and what is allowed. The connection is read-only and the process is killed if it takes too long, so
 * this check only limits what can be read. Little depends on it: the only secrets in a store are the sections
 * of configurations that no view contains.
 * @param taken names of the store's tables, views and modules, in lower case, which WITH tables must not use
 */
export function checkSql(sql: string, taken: ReadonlySet<string> = new Set()) {
  const tokens = withoutEnd(tokensOf(sql));
  const [first] = tokens;
  if (first?.kind !== 'name' || !['select', 'with'].includes(first.text))
    throw refused(`begins with ${shown(first)}; give one SELECT, or WITH … SELECT`);
  if (tokens.some((token) => isSign(token, ';'))) throw refused('has more than one statement; give one SELECT');
  const parameter = tokens.find((token) => ['?', ':', '@', '$'].some((sign) => isSign(token, sign)));
  if (parameter !== undefined) throw refused(`has a parameter ${shown(parameter)}; write the value itself`);
  const stranger = tokens.find(
    ({ kind, text }) => (kind === 'name' || kind === 'sign') && /[^\u0020-\u007E]/.test(text),
  );
  // SQLite treats some characters outside printable ASCII as spaces, and others as parts of a name.
  if (stranger !== undefined)
    throw refused(`has ${shown(stranger)} outside a string; write names in ASCII, or in quotes`);
  const definitions = commonTables(tokens);
  const own = [...definitions.values()];
  // A WITH name is valid only in its own scope, but this check accepts it everywhere: if it were also the name
  // of a table in the store, that table would become readable outside the scope.
  const wrong = own.find((name) => taken.has(name) || viewNames.includes(name));
  if (wrong !== undefined)
    throw refused(`gives a WITH table the name ${JSON.stringify(wrong)}, which the store already uses; choose another`);
  const known = new Set([...viewNames, ...own]);
  for (const [at, token] of tokens.entries()) {
    checkName(token, tokens[at + 1]);
    // The definition of a WITH table lists its columns after its name.
    if (!definitions.has(at)) checkFunction(token, tokens[at + 1]);
  }
  for (const table of tablesOf(tokens)) checkTable(table, known);
}

const refused = (what: string) => argumentInvalid(`sql ${what}`);

const shown = (token: Token | undefined) => (token === undefined ? 'nothing' : JSON.stringify(token.text.slice(0, 60)));

const isSign = (token: Token | undefined, sign: string) => token?.kind === 'sign' && token.text === sign;
const isWord = (token: Token | undefined, ...words: string[]) => token?.kind === 'name' && words.includes(token.text);
const isName = (token: Token | undefined) => token?.kind === 'name' || token?.kind === 'quoted';

function withoutEnd(tokens: Token[]) {
  while (isSign(tokens.at(-1), ';')) tokens.pop();
  return tokens;
}

/**
 * The names of WITH tables by the index of their definitions. A definition is a name, optional columns, AS, and
 * a query in parentheses.
 */
function commonTables(tokens: readonly Token[]): Map<number, string> {
  const found = tokens.flatMap((token, at): [number, string][] => {
    if (!isName(token)) return [];
    let next = at + 1;
    if (isSign(tokens[next], '(')) {
      // Accept only names and commas here, so that no part of a query is scanned twice.
      while (isName(tokens[next + 1]) || isSign(tokens[next + 1], ',')) next += 1;
      if (!isSign(tokens[next + 1], ')')) return [];
      next += 2;
    }
    if (!isWord(tokens[next], 'as')) return [];
    next += 1;
    while (isWord(tokens[next], 'not', 'materialized')) next += 1;
    const isTable = isSign(tokens[next], '(') && isWord(tokens[next + 1], 'select', 'with', 'values');
    return isTable ? [[at, token.text]] : [];
  });
  return new Map(found);
}

function checkName(token: Token, next: Token | undefined) {
  if (!isName(token)) return;
  if (/^(?:sqlite_|pragma_)/.test(token.text))
    throw refused(`names ${shown(token)}; it may name ${viewNames.join(', ')}`);
  if (['main', 'temp'].includes(token.text) && isSign(next, '.'))
    throw refused(`names the schema ${shown(token)}; name only views: ${viewNames.join(', ')}`);
}

/** SQLite functions that a query may call. They read only their arguments. */
const functions = wordsOf(`
  abs char coalesce concat concat_ws format glob hex ifnull iif if instr length like likelihood likely lower ltrim max min nullif
  octet_length printf quote replace round rtrim sign substr substring trim typeof unhex unicode unlikely upper
  date time datetime julianday unixepoch strftime timediff
  acos acosh asin asinh atan atan2 atanh ceil ceiling cos cosh degrees exp floor ln log log10 log2 mod pi pow power radians sin sinh sqrt tan tanh trunc
  avg count group_concat string_agg sum total median percentile percentile_cont percentile_disc
  row_number rank dense_rank percent_rank cume_dist ntile lag lead first_value last_value nth_value
  json json_array json_array_length json_extract json_object json_patch json_quote json_type json_valid json_group_array json_group_object
`);

/** SQL keywords that may be followed by a parenthesis. */
const wordsBeforeParenthesis = wordsOf(`
  all and as between by case cast distinct else escape except exists filter from group having in intersect is join limit materialized
  not offset on or over order partition range rows groups select then union using values when where with
`);

function checkFunction(token: Token, next: Token | undefined) {
  if (!isName(token) || !isSign(next, '(')) return;
  const { kind, text } = token;
  if (functions.includes(text) || (kind === 'name' && wordsBeforeParenthesis.includes(text))) return;
  const near = closest(text, functions);
  throw refused(
    `calls ${shown(token)}; ${clause('the nearest function is ', near, '; ')}a query may call SQLite's core, date, math, aggregate, window and JSON functions`,
  );
}

function checkTable(token: Token | undefined, known: ReadonlySet<string>) {
  if (isName(token) && known.has((token as Token).text)) return;
  const near = token && closest(token.text, viewNames);
  throw refused(
    `reads ${shown(token)}; ${clause('the nearest view is ', near, '; ')}a query may read ${viewNames.join(', ')} and its own WITH tables`,
  );
}

/** Words that end the list of tables after FROM. */
const afterFrom = ['where', 'group', 'having', 'order', 'limit', 'union', 'intersect', 'except', 'select'];

/** The tokens in the places where a table may appear: after FROM, JOIN, a comma between tables, and IN. */
function tablesOf(tokens: readonly Token[]) {
  const tables: (Token | undefined)[] = [];
  /** For each level of parentheses, whether the scan is within the list of tables after FROM. */
  const isFrom = [false];
  for (const [at, token] of tokens.entries()) {
    const level = isFrom.length - 1;
    if (isSign(token, '(')) isFrom.push(false);
    else if (isSign(token, ')') && level > 0) isFrom.pop();
    else if (isWord(token, ...afterFrom) || isWindow(tokens, at)) isFrom[level] = false;
    // The FROM in "IS DISTINCT FROM" does not begin a list of tables.
    else if (isWord(token, 'from') && !isWord(tokens[at - 1], 'distinct')) isFrom[level] = true;
    else if (!isWord(token, 'join', 'in') && !(isFrom[level] === true && isSign(token, ','))) continue;
    if (isWord(token, 'in') || isBeforeTable(token, isFrom[level] === true)) tables.push(...tableAt(tokens, at + 1));
  }
  return tables;
}

/** Whether this is `WINDOW w AS (…)` rather than a table named `window`. */
const isWindow = (tokens: readonly Token[], at: number) =>
  isWord(tokens[at], 'window') &&
  isName(tokens[at + 1]) &&
  isWord(tokens[at + 2], 'as') &&
  isSign(tokens[at + 3], '(') &&
  !isWord(tokens[at + 4], 'select', 'with', 'values');

const isBeforeTable = (token: Token, isFrom: boolean) =>
  isWord(token, 'join') || (isFrom && (isWord(token, 'from') || isSign(token, ',')));

/** The table at an index; none for a parenthesis, since the tables inside it are checked separately. */
function tableAt(tokens: readonly Token[], at: number) {
  if (!isSign(tokens[at], '(')) return [tokens[at]];
  const isBehindIn = isWord(tokens[at - 1], 'in');
  if (isBehindIn || isWord(tokens[at + 1], 'select', 'with', 'values')) return [];
  throw refused('has tables in parentheses; write them without parentheses');
}
