import { pathToFileURL } from 'node:url';
import { parentPort, workerData } from 'node:worker_threads';

import type { LongCall, ToThread } from '../../http/long-calls.ts';
import { stackOf, SwfError } from '../../lib/errors.ts';
import { findTool, tools } from '../../tools/index.ts';
import { callTool } from '../../tools/run-tool.ts';
import { liveContext } from '../ask/ask-tool.ts';
import { createProcessIo } from '../shared/process-io.ts';
import { createStoreReader } from '../shared/store-reader.ts';

/** The store, the version, and the program's file, passed to the thread at its start. */
export interface LongCallThreadData {
  path: string;
  version: string;
  program: string;
}

const { path, version, program } = workerData as LongCallThreadData;
const io = createProcessIo({ version, db: path, program: pathToFileURL(program).href });
const reader = createStoreReader(io);

async function replyTo({ tool, args }: LongCall, signal: AbortSignal) {
  try {
    const context = { ...liveContext(io, reader, signal), caller: () => 'mcp' };
    const answer = await callTool(findTool(tools, tool), args, context);
    return { answer };
  } catch (error) {
    if (error instanceof SwfError) return { code: error.code, message: error.message };
    return { bug: stackOf(error) };
  }
}

let running = new AbortController();

/** Makes slow calls on behalf of the HTTP server, one after another, and sends back each answer. */
parentPort?.on('message', (message: ToThread) => {
  if (message === 'give up') return running.abort();
  running = new AbortController();
  void replyTo(message, running.signal).then((reply) => parentPort?.postMessage(reply, []));
});
