import { SwfError } from '../errors.ts';
import { tools } from '../tools/index.ts';
import { findTool, runTool } from '../tools/run-tool.ts';
import { type Io, storePath } from './io.ts';
import { createStoreReader } from './reader.ts';

/** One answer of a tool as the server would give it. */
export function askTool(io: Io, name: string, args: unknown): Record<string, unknown> {
  const reader = createStoreReader(storePath(io));
  try {
    return runTool(findTool(tools, name), args, { queries: reader.queries(), now: Date.now() });
  } finally {
    reader.close();
  }
}

/** `swf-mcp call TOOL [JSON]`: one tool call, its structured answer on stdout. Returns the exit code. */
export function callCommand(io: Io, name: string, json: string | undefined): number {
  // A wrong name is told before a missing store.
  findTool(tools, name);
  io.out(`${JSON.stringify(askTool(io, name, parseArguments(json)))}\n`);
  return 0;
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
