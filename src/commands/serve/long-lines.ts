import { Transform } from 'node:stream';

/** How much of a dropped line's begin and end to look at for the id of its request. */
const endCharacters = 300;

/** The id of a request, as JSON, where it is the first or the last key of a line. */
const idPatterns = [
  /^\{(?:"jsonrpc":"2\.0",)?"id":(\d{1,15}|"[^"\\]{1,100}")[,}]/,
  /,"id":(\d{1,15}|"[^"\\]{1,100}")(?:,"jsonrpc":"2\.0")?\}\s*$/,
];

/** Passes lines of at most `most` bytes on, and drops longer ones. @param onDropped called for each of those, with the id of its request if it is found */
export function withoutLongLines(most: number, onDropped: (id: string | number | null) => void): Transform {
  let held: Buffer[] = [];
  let length = 0;
  let [head, tail] = ['', ''];
  const hold = (part: Buffer): void => {
    length += part.length;
    if (length <= most) held.push(part);
    else {
      if (head === '') head = Buffer.concat([...held, part]).toString('utf8', 0, endCharacters);
      tail = (tail + part.subarray(-endCharacters).toString('utf8')).slice(-endCharacters);
      held = [];
    }
  };
  const endLine = (): Buffer => {
    const line = Buffer.concat(held);
    if (length > most) {
      const [, id = 'null'] = idPatterns[0]?.exec(head) ?? idPatterns[1]?.exec(tail) ?? [];
      onDropped(JSON.parse(id) as string | number | null);
    }
    [held, length, head, tail] = [[], 0, '', ''];
    return line;
  };
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      let rest = chunk;
      for (let end = rest.indexOf('\n'); end >= 0; end = rest.indexOf('\n')) {
        hold(rest.subarray(0, end + 1));
        rest = rest.subarray(end + 1);
        this.push(endLine());
      }
      hold(rest);
      done();
    },
    flush(done) {
      endLine();
      done();
    },
  });
}
