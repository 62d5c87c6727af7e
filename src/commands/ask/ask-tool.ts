import { present } from '../../lib/present.ts';
import type { AnswerOf } from '../../tools/index.ts';
import { callTool } from '../../tools/run-tool.ts';
import type { Tool } from '../../tools/shared/tool.ts';
import { createLogbook } from '../control/tool-logbook.ts';
import { interruptionOf, type Io, pageUrl, userName } from '../shared/io.ts';
import { createStoreReader, type StoreReader } from '../shared/store-reader.ts';

/**
 * Calls a tool as the server would, and returns its answer; arguments without a value are left out. Ctrl-C
 * cancels a call that takes long. The parameter is the tool itself, so that a command loads no other.
 */
export async function askTool<Name extends string>(io: Io, tool: Tool<Name>, args: object) {
  using reader = createStoreReader(io);
  const signal = tool.perform === undefined ? new AbortController().signal : interruptionOf(io);
  return (await callTool(tool, present({ ...args }), liveContext(io, reader, signal))) as AnswerOf<Name>;
}

/** A tool's context at the command line. */
export const liveContext = (io: Io, { queries, past, held }: StoreReader, signal: AbortSignal) => ({
  caller: () => userName(io),
  queries,
  past,
  held,
  now: Date.now,
  signal,
  progress: () => {},
  services: async () => (await import('../control/tool-services.ts')).createServices(io),
  control: undefined,
  logbook: createLogbook(io),
  page: pageUrl(io),
});
