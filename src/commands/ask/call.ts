import { valueInvalid } from '../../lib/errors.ts';
import { readJson } from '../../lib/read-json.ts';
import { everyTool, findTool } from '../../tools/index.ts';
import { callTool } from '../../tools/run-tool.ts';
import { harmless } from '../../tools/shared/harmless.ts';
import { exitCodes, interruptionOf, type Io, namesStore } from '../shared/io.ts';
import { createStoreReader } from '../shared/store-reader.ts';
import { liveContext } from './ask-tool.ts';

interface CallArguments {
  tool: string;
  arguments: readonly string[];
  yes: boolean;
}

/**
 * `swf-mcp call TOOL [JSON | key=value…]`: makes one tool call and prints its structured answer on stdout:
 * on one line for programs, indented at a terminal. A person at a terminal may do anything, so tools that
 * change something are included. Returns the exit code.
 */
export async function callCommand(io: Io, { tool: name, arguments: words, yes }: CallArguments) {
  // Report a wrong name before a missing store.
  const tool = findTool(everyTool, name);
  const args = parseArguments(words);
  if (tool.writes !== undefined && !yes && (await io.ask(`${name} changes something: continue?`)) === false) {
    io.err('nothing was done; --yes skips this question');
    return exitCodes.mendable;
  }
  using reader = createStoreReader(io);
  const interrupted = interruptionOf(io);
  const answer = await callTool(tool, args, {
    ...liveContext(io, reader, interrupted),
    control: tool.writes === undefined ? undefined : (await import('../control/tool-control.ts')).createControl(io),
  });
  const { answer: safe, text } = harmless(answer, namesStore(io));
  io.out(`${io.terminal('out') === undefined ? text : JSON.stringify(safe, undefined, 2)}\n`);
  return interrupted.aborted ? exitCodes.interrupted : exitCodes.fine;
}

function parseArguments(words: readonly string[]) {
  if (words.every((word) => pair.test(word))) return Object.fromEntries(words.map(pairOf));
  const json = words.join(' ');
  try {
    return JSON.parse(json);
  } catch (error) {
    throw valueInvalid(
      `${JSON.stringify(json.slice(0, 80))} is neither JSON nor key=value; give, for example, execution_id=latest or '{"execution_id":"latest"}'`,
      { cause: error },
    );
  }
}

const pair = /^[a-z][a-z0-9_]*=/;

/** Parses true, false, lists and objects as JSON. Tools accept numbers as text. */
function pairOf(word: string) {
  const at = word.indexOf('=');
  const value = word.slice(at + 1);
  return [word.slice(0, at), /^(?:true|false|[[{].*)$/s.test(value) ? (readJson(value) ?? value) : value];
}
