import { parentPort, workerData } from 'node:worker_threads';

import type { LongCall, LongReply } from '../../http/long-calls.ts';
import { SwfError } from '../../lib/errors.ts';
import { tools } from '../../tools/index.ts';
import { callTool, findTool } from '../../tools/run-tool.ts';
import { createServices } from '../control/tool-services.ts';
import { pageUrl } from '../shared/page-url.ts';
import { createProcessIo } from '../shared/process-io.ts';
import { createStoreReader } from '../shared/store-reader.ts';

/** The store and version, passed to the thread at its start. */
export interface LongCallThreadData {
  /** The store's file. */
  path: string;
  version: string;
}

const { path, version } = workerData as LongCallThreadData;
const io = createProcessIo({ version, db: path, program: import.meta.url });
const reader = createStoreReader(path);
const never = new AbortController().signal;

async function replyTo({ tool, args }: LongCall): Promise<LongReply> {
  try {
    const answer = await callTool(findTool(tools, tool), args, {
      queries: reader.queries,
      past: reader.past,
      held: reader.held,
      now: Date.now,
      signal: never,
      services: () => Promise.resolve(createServices(io)),
      progress: () => {},
      control: undefined,
      page: pageUrl(io),
      caller: () => 'mcp',
    });
    return { answer };
  } catch (error) {
    if (error instanceof SwfError) return { code: error.code, message: error.message };
    return { bug: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
}

/** Calls that may take long, for the HTTP server: one after another, each with its answer. */
parentPort?.on('message', (call: LongCall) => void replyTo(call).then((reply) => parentPort?.postMessage(reply, [])));
