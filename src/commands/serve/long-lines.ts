import { Transform } from 'node:stream';

/** Passes lines of at most `most` bytes on, and drops longer ones. @param onDropped called once for each of those */
export function withoutLongLines(most: number, onDropped: () => void): Transform {
  let held: Buffer[] = [];
  let length = 0;
  const hold = (part: Buffer): void => {
    length += part.length;
    if (length <= most) held.push(part);
    else held = [];
  };
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      let rest = chunk;
      for (let end = rest.indexOf('\n'); end >= 0; end = rest.indexOf('\n')) {
        hold(rest.subarray(0, end + 1));
        rest = rest.subarray(end + 1);
        if (length > most) onDropped();
        else this.push(Buffer.concat(held));
        [held, length] = [[], 0];
      }
      hold(rest);
      done();
    },
  });
}
