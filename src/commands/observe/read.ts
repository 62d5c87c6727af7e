import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

import { openStore } from '../../db/opening/open-store.ts';
import { argumentInvalid } from '../../lib/errors.ts';
import { allPrintable } from '../../lib/printable.ts';
import { toUtc } from '../../lib/time.ts';
import { readIntoStore } from '../../observer/read-into-store.ts';
import { type Io, storeOptions, storePath } from '../shared/io.ts';

export interface ReadArguments {
  from: string[];
  until: string | undefined;
  namespaces: string[];
  json: boolean;
}

/** `swf-mcp observe --from FILE…`: reads recordings into the store. */
export async function readCommand(io: Io, { from, until, namespaces, json }: ReadArguments): Promise<void> {
  const end = until === undefined ? undefined : toUtc(until);
  if (until !== undefined && end === undefined)
    throw argumentInvalid(`--until ${until} is no time; give one in ISO 8601 with its zone`);
  using store = await openStore(storePath(io), storeOptions(io));
  const counts = await readIntoStore(recordingsOf(from), {
    store,
    namespaces,
    until: end,
    onTorn: ({ path, why }) => io.err(`WARNING ${path} is torn: ${why}; the part before that is read`),
  });
  if (counts.rejected > 0 && counts.messages + counts.rest + counts.gaps === 0)
    throw argumentInvalid(
      `${from.join(', ')}: none of its ${counts.rejected} lines belongs to a recording; name what "observe --record" has written`,
    );
  if (json) io.out(`${JSON.stringify(allPrintable(counts))}\n`);
  else {
    const { messages, rest, kept, rejected, gaps, executions } = counts;
    io.out(
      `${messages} messages read, ${kept} of them of no known kind; ${rest} REST calls, ${gaps} gaps, ${rejected} lines that could not be read\n`,
    );
    for (const id of executions) io.out(`  ${id}\n`);
  }
}

/** The recordings to read; for a folder, the files that an observer wrote there, in the order of their days. */
const recordingsOf = (names: readonly string[]): string[] =>
  names.flatMap((name) =>
    statSync(name, { throwIfNoEntry: false })?.isDirectory() === true
      ? readdirSync(name)
          .filter((file) => /\.jsonl(?:\.gz)?$/.test(file))
          .toSorted()
          .map((file) => join(name, file))
      : [name],
  );
