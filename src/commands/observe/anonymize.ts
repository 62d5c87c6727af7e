import { argumentInvalid } from '../../lib/errors.ts';
import { createAnonymizer } from '../../observed/anonymize.ts';
import { countLine } from '../../observer/read-into-store.ts';
import { RecordingFile } from '../../observer/recording-file.ts';
import { readRecordings } from '../../observer/recording-reader.ts';
import type { Io } from '../shared/io.ts';

const linesAtOnce = 1000;

/** `swf-mcp observe --from FILE… --anonymize FILE`: makes a recording that can be given away from others. */
export async function anonymizeCommand(io: Io, from: string[], target: string, json: boolean): Promise<void> {
  if (from.length === 0)
    throw argumentInvalid('there is nothing to read; give --from FILE, a recording of "observe --record"');
  const anonymizer = createAnonymizer();
  for await (const read of readRecordings(from, () => {})) if (read.kind !== 'rejected') anonymizer.collect(read.line);
  const file = await RecordingFile.create(target);
  const counts = { messages: 0, rest: 0, gaps: 0, rejected: 0 };
  const lines: string[] = [];
  const write = async (): Promise<void> => {
    if (lines.length > 0) await file.add(lines.splice(0));
  };
  for await (const read of readRecordings(from, ({ path, why }) =>
    io.err(`WARNING ${path} is torn: ${why}; the part before that is read`),
  )) {
    countLine(counts, read);
    if (read.kind !== 'rejected') {
      // A recording still being written has new lines by now.
      anonymizer.collect(read.line);
      lines.push(JSON.stringify(anonymizer.replace(read.line)));
    }
    if (lines.length >= linesAtOnce) await write();
  }
  await write();
  await file.close();
  if (json) io.out(`${JSON.stringify(counts)}\n`);
  else
    io.err(
      `${target}: ${counts.messages} messages, ${counts.rest} REST calls, ${counts.gaps} gaps; ${counts.rejected} lines could not be read and are left out. Look at it before you give it away.`,
    );
}
