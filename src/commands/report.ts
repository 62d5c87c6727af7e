import { reportOf } from '../mcp/report.ts';
import { askLiveTool } from './call.ts';
import { exitCodes, type Io, storePath } from './io.ts';
import { createStoreReader } from './store-reader.ts';

export interface ReportArguments {
  executionId: string | undefined;
  /** The beginning of a time of which all is reported. */
  since: string | undefined;
  until: string | undefined;
  namespace: string | undefined;
}

/** `swf-mcp report`: Markdown of one execution, or of all that happened in a time. Returns the exit code. */
export async function reportCommand(
  io: Io,
  { executionId, since, until, namespace }: ReportArguments,
): Promise<number> {
  if (executionId === undefined && (since !== undefined || until !== undefined || namespace !== undefined)) {
    const args = { start_time: since, end_time: until, namespace };
    const given = Object.fromEntries(Object.entries(args).filter(([, value]) => value !== undefined));
    const { text } = (await askLiveTool(io, 'shift_report', given)) as { text: string };
    io.out(`${text}\n`);
    return exitCodes.fine;
  }
  const reader = createStoreReader(storePath(io));
  try {
    io.out(reportOf(reader.queries(), executionId ?? 'latest', Date.now()));
    return exitCodes.fine;
  } finally {
    reader.close();
  }
}
