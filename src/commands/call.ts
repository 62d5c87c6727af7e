import { SwfError } from '../lib/errors.ts';
import { controlTools, tools } from '../tools/index.ts';
import { harmless } from '../tools/shared/harmless.ts';
import { callTool, findTool, runTool } from '../tools/shared/run-tool.ts';
import { exitCodes, type Io, storePath, userName } from './io.ts';
import { createStoreReader } from './store-reader.ts';

/** One answer of a tool as the server would give it. */
export function askTool(io: Io, name: string, args: unknown): Record<string, unknown> {
  const reader = createStoreReader(storePath(io));
  try {
    return runTool(findTool(tools, name), args, { queries: reader.queries(), now: Date.now() });
  } finally {
    reader.close();
  }
}

/**
 * `swf-mcp call TOOL [JSON]`: one tool call, its structured answer on stdout. A person at a terminal may do what they like, so the
 * tools that change something are there too. Returns the exit code.
 */
export async function callCommand(io: Io, name: string, json: string | undefined): Promise<number> {
  // A wrong name is told before a missing store.
  const tool = findTool([...tools, ...controlTools], name);
  const args = parseArguments(json);
  const reader = createStoreReader(storePath(io));
  const interrupted = new AbortController();
  io.onInterrupt(() => interrupted.abort());
  try {
    const answer = await callTool(tool, args, {
      caller: () => userName(io),
      queries: reader.queries,
      signal: interrupted.signal,
      progress: () => {},
      control: tool.writes === undefined ? undefined : (await import('./tool-control.ts')).createControl(io),
    });
    io.out(`${harmless(answer).text}\n`);
    return interrupted.signal.aborted ? exitCodes.interrupted : exitCodes.fine;
  } finally {
    reader.close();
  }
}

function parseArguments(json: string | undefined): unknown {
  if (json === undefined) return {};
  try {
    return JSON.parse(json);
  } catch (error) {
    throw new SwfError(
      'ARGUMENT_INVALID',
      `${JSON.stringify(json.slice(0, 80))} is not JSON; give for example '{"execution_id":"latest"}'`,
      { cause: error },
    );
  }
}
