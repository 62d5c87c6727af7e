import { argumentInvalid } from '../../lib/errors.ts';
import { closest } from '../../lib/suggest.ts';
import { clause, wordsOf } from '../../lib/words.ts';
import { documentedViews } from '../migrations/documented-views.ts';

/** A token of SQL, without separators. Names are lower case and unquoted, as in SQLite's comparisons. */
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
    return [{ kind, text: (kind === 'quoted' || kind === 'text' ? unquoted(text) : text).toLowerCase() }];
  });

function unquoted(quoted: string) {
  const [mark = ''] = quoted;
  const name = quoted.slice(1, -1);
  return mark === '[' ? name : name.replaceAll(mark + mark, mark);
}

export const viewNames = Object.keys(documentedViews);

/**
 * Allows one `SELECT`, and no names that could get around what `answer-sql.ts` hides: schemas, and tables that
 * SQLite itself makes. The process only reads and is ended in time, so all this only limits what can be read.
 * That matters little: the only secrets of a store are the sections of configurations that no view has. Throws
 * `ARGUMENT_INVALID`, naming what is wrong and what is allowed.
 */
export function checkSql(sql: string) {
  const tokens = withoutEnd(tokensOf(sql));
  const [first] = tokens;
  if (first?.kind !== 'name' || !['select', 'with'].includes(first.text))
    throw refused(`begins with ${shown(first?.text)}; give one SELECT, or WITH … SELECT`);
  if (tokens.some((token) => isSign(token, ';'))) throw refused('has more than one statement; give one SELECT');
  const parameter = tokens.find((token) => ['?', ':', '@', '$'].some((sign) => isSign(token, sign)));
  if (parameter !== undefined) throw refused(`has a parameter ${shown(parameter.text)}; write the value itself`);
  for (const [at, token] of tokens.entries()) checkName(token, tokens[at + 1]);
}

const refused = (what: string) => argumentInvalid(`sql ${what}`);

const shown = (text: string | undefined) => (text === undefined ? 'nothing' : JSON.stringify(text.slice(0, 60)));

const isSign = (token: Token | undefined, sign: string) => token?.kind === 'sign' && token.text === sign;

function withoutEnd(tokens: Token[]): Token[] {
  while (isSign(tokens.at(-1), ';')) tokens.pop();
  return tokens;
}

/** SQLite takes a text for a name where it expects one. */
function checkName({ kind, text }: Token, next: Token | undefined) {
  // SQLite treats some of these as spaces, and others as parts of a name.
  if ((kind === 'name' || kind === 'sign') && /[^\u0020-\u007E]/.test(text))
    throw refused(`has ${shown(text)} outside a string; write names in ASCII, or in quotes`);
  if (/^(?:sqlite|pragma)_\w+$/.test(text)) throw refused(`names ${shown(text)}; it may name ${viewNames.join(', ')}`);
  if (['main', 'temp'].includes(text) && isSign(next, '.'))
    throw refused(`names the schema ${shown(text)}; name views alone: ${viewNames.join(', ')}`);
}

/** SQLite functions that a query may call: they read nothing but their arguments. */
export const functions = wordsOf(`
  abs char coalesce concat concat_ws format glob hex ifnull iif if instr length like likelihood likely lower ltrim max min nullif
  octet_length printf quote replace round rtrim sign substr substring trim typeof unhex unicode unlikely upper
  date time datetime julianday unixepoch strftime timediff current_date current_time current_timestamp
  acos acosh asin asinh atan atan2 atanh ceil ceiling cos cosh degrees exp floor ln log log10 log2 mod pi pow power radians sin sinh sqrt tan tanh trunc
  avg count group_concat string_agg sum total median percentile percentile_cont percentile_disc
  row_number rank dense_rank percent_rank cume_dist ntile lag lead first_value last_value nth_value
  json json_array json_array_length json_extract json_object json_patch json_quote json_type json_valid json_group_array json_group_object -> ->>
`);

const nearest = (name: string, among: readonly string[]) => clause('the nearest is ', closest(name, among), '; ');

export const functionRefused = (name: string) =>
  refused(
    `calls ${shown(name)}; ${nearest(name, functions)}allowed are SQLite's core, date, math, aggregate, window and JSON functions`,
  );

export const tableRefused = (name: string) =>
  refused(
    `reads ${shown(name)}; ${nearest(name, viewNames)}it may read ${viewNames.join(', ')} and its own WITH tables`,
  );
