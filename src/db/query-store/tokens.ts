/** A token of SQL. Names are lower case and unquoted, as SQLite compares them. */
export interface Token {
  kind: 'name' | 'quoted' | 'text' | 'number' | 'sign';
  text: string;
}

const pattern =
  /(?<space>[ \t\n\f\r]+|--[^\n]*|\/\*[\s\S]*?(?:\*\/|$))|(?<text>[xX]?'(?:[^']|'')*'?)|(?<quoted>"(?:[^"]|"")*"?|`(?:[^`]|``)*`?|\[[^\]]*\]?)|(?<number>\d[\w.]*|\.\d[\w.]*)|(?<name>[A-Za-z_\u0080-\uFFFF$][\w\u0080-\uFFFF$]*)|(?<sign>[\s\S])/gy;

/** The tokens of a statement, without whitespace and comments. */
export const tokensOf = (sql: string): Token[] =>
  [...sql.matchAll(pattern)].flatMap(({ groups = {} }): Token[] => {
    const { text, quoted, number, name, sign } = groups;
    if (text !== undefined) return [{ kind: 'text', text }];
    if (quoted !== undefined) return [{ kind: 'quoted', text: unquoted(quoted).toLowerCase() }];
    if (number !== undefined) return [{ kind: 'number', text: number }];
    if (name !== undefined) return [{ kind: 'name', text: name.toLowerCase() }];
    return sign === undefined ? [] : [{ kind: 'sign', text: sign }];
  });

function unquoted(quoted: string): string {
  const [mark = ''] = quoted;
  if (mark === '[') return quoted.slice(1, -1);
  return quoted.slice(1, -1).replaceAll(mark + mark, mark);
}
