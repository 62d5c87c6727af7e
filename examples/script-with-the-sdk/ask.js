// Asks the server for the last execution and its failed slices: node examples/script-with-the-sdk/ask.js
import { resolve } from 'node:path';

import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';

const client = new Client({ name: 'example', version: '1.0.0' });
const server = {
  command: process.execPath,
  args: [resolve(import.meta.dirname, '../../dist/cli.js')],
  env: process.env,
};
await client.connect(new StdioClientTransport(server));

const ask = async (name, args) => {
  const { isError, content, structuredContent } = await client.callTool({ name, arguments: args });
  if (isError) throw new Error(content[0].text);
  return structuredContent;
};

const { execution_id, status, health, progress } = await ask('get_workflow_monitor', { execution_id: 'latest' });
console.log(`${execution_id}: ${status}, ${health ?? 'health unknown'}, ${progress?.percent ?? '?'} % of the run`);

let cursor;
do {
  const page = await ask('list_tf_slices', {
    execution_id,
    status: 'failed',
    ...(cursor === undefined ? {} : { cursor }),
  });
  for (const slice of page.items) console.log(`${slice.slice_filename}: ${slice.error}`);
  cursor = page.next_cursor;
} while (cursor !== undefined);

await client.close();
