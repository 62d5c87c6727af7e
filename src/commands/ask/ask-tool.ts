import { present } from '../../lib/present.ts';
import type { AnswerOf } from '../../tools/index.ts';
import { callTool } from '../../tools/run-tool.ts';
import type { Tool } from '../../tools/shared/tool.ts';
import { createLogbook } from '../control/tool-logbook.ts';
import { interruptionOf, type Io, pageUrl, userName } from '../shared/io.ts';
import { createStoreReader, type StoreReader } from '../shared/store-reader.ts';

/**
 * Calls a tool as the server would, and returns its answer; arguments without a value are left out. Ctrl-C
 * cancels a long call. The parameter is the tool itself, so that a command loads only this tool.
 */
export async function askTool<Name extends string>(io: Io, tool: Tool<Name>, args: object) {
  using reader = createStoreReader(io);
  return await askWith(io, reader, tool, args, tool.perform && interruptionOf(io));
}

/** Like `askTool`, but with a reader that is already open. */
export const askWith = async <Name extends string>(
  io: Io,
  reader: StoreReader,
  tool: Tool<Name>,
  args: object,
  signal = new AbortController().signal,
) => (await callTool(tool, present({ ...args }), liveContext(io, reader, signal))) as AnswerOf<Name>;

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
