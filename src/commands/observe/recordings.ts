import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

import { keepKnown } from '../../db/log/store-identity.ts';
import { argumentInvalid } from '../../lib/errors.ts';
import { parseTime } from '../../lib/time.ts';
import { createAnonymizer } from '../../observed/anonymize.ts';
import { countLine, readIntoStore } from '../../observer/read-into-store.ts';
import { createRecording } from '../../observer/recording-file.ts';
import { readRecordings, type TornFile } from '../../observer/recording-reader.ts';
import { configOf } from '../shared/configured.ts';
import { type ConfigFlags, type Io } from '../shared/io.ts';
import { ownStore } from '../shared/own-store.ts';
import { printJson } from '../shared/print-lines.ts';
import { knownFindings } from './known.ts';

export interface ReadArguments extends ConfigFlags {
  from: string[];
  until: string | undefined;
  namespaces: string[];
  json: boolean;
}

/** `swf-mcp observe --from FILE…`: reads recordings into the store. */
export async function readCommand(io: Io, { from, until, namespaces, json, ...flags }: ReadArguments) {
  const known = knownFindings(flags, () => configOf(io, flags).config);
  const end = parseTime('--until', until, Date.now());
  using store = await ownStore(io);
  if (known !== undefined) await store.write((tx) => keepKnown(tx, known));
  const counts = await readIntoStore(recordingsOf(from), {
    store,
    namespaces,
    until: end,
    onTorn: tellTorn(io),
  });
  if (counts.rejected > 0 && counts.messages + counts.rest + counts.gaps === 0)
    throw argumentInvalid(
      `${from.join(', ')}: none of the ${counts.rejected} lines belongs to a recording; name a file written by "observe --record"`,
    );
  if (json) printJson(io, counts);
  else {
    const { messages, rest, kept, rejected, gaps, executions } = counts;
    io.out(
      `${messages} messages read, ${kept} of them of unknown type; ${rest} REST calls, ${gaps} gaps, ${rejected} lines that could not be read\n`,
    );
    for (const id of executions) io.out(`  ${id}\n`);
  }
}

/** The recordings to read; for a folder, the files that an observer wrote there, in the order of their dates. */
const recordingsOf = (names: readonly string[]) =>
  names.flatMap((name) =>
    statSync(name, { throwIfNoEntry: false })?.isDirectory() === true
      ? readdirSync(name)
          .filter((file) => /\.jsonl(?:\.gz)?$/.test(file))
          .toSorted()
          .map((file) => join(name, file))
      : [name],
  );

const tellTorn =
  (io: Io) =>
  ({ path, why }: TornFile) =>
    io.err(`WARNING ${path} is incomplete: ${why}; only the part before that point was read`);

const linesAtOnce = 1000;

/** `swf-mcp observe --from FILE… --anonymize FILE`: turns recordings into one recording that can be shared. */
export async function anonymizeCommand(io: Io, from: string[], target: string, json: boolean) {
  const anonymizer = createAnonymizer();
  for await (const read of readRecordings(from, () => {})) if (read.kind !== 'rejected') anonymizer.collect(read.line);
  const file = await createRecording(target);
  const counts = { messages: 0, rest: 0, gaps: 0, rejected: 0 };
  const lines: string[] = [];
  const write = async () => {
    if (lines.length > 0) await file.add(lines.splice(0));
  };
  for await (const read of readRecordings(from, tellTorn(io))) {
    countLine(counts, read);
    if (read.kind !== 'rejected') {
      // A recording that is still being written may have new lines by now.
      anonymizer.collect(read.line);
      lines.push(JSON.stringify(anonymizer.replace(read.line)));
    }
    if (lines.length >= linesAtOnce) await write();
  }
  await write();
  await file.close();
  if (json) printJson(io, counts);
  else
    io.err(
      `${target}: ${counts.messages} messages, ${counts.rest} REST calls, ${counts.gaps} gaps; ${counts.rejected} lines could not be read and are left out. Check it before you share it.`,
    );
}
