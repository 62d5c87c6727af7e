import { argumentInvalid } from '../../lib/errors.ts';
import { printable } from '../../lib/printable.ts';
import { reportOf } from '../../mcp/report.ts';
import { type Io, storeOption, storePath, withStore } from '../shared/io.ts';
import { askAt, createStoreReader } from '../shared/store-reader.ts';
import { askTool } from './call.ts';

export interface ReportArguments {
  executionId: string | undefined;
  since: string | undefined;
  until: string | undefined;
  namespace: string | undefined;
  asOf: string | undefined;
}

/** `swf-mcp report`: Markdown of one execution, or of everything in a time window. */
export async function reportCommand(io: Io, { executionId, since, until, namespace, asOf }: ReportArguments) {
  const isOfTime = since !== undefined || until !== undefined || namespace !== undefined;
  if (executionId !== undefined && isOfTime)
    throw argumentInvalid(
      'a report is of one execution, or of a time (--since, --until, --namespace); give one of both',
    );
  if (!isOfTime) {
    using reader = createStoreReader(storePath(io));
    const text = await askAt(reader, asOf, ({ queries, now }) => reportOf(queries, executionId ?? 'latest', now));
    return io.out(withStore(text, storeOption(io)));
  }
  const args = { start_time: since, end_time: until, namespace, as_of: asOf };
  const { text, note } = (await askTool(io, 'shift_report', args)) as { text: string; note?: string };
  io.out(`${withStore(text, storeOption(io))}\n`);
  if (note !== undefined) io.err(printable(note));
}
