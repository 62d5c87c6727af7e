// A newcomer's first look: a short run at full speed, then questions about it through the MCP server, as an
// assistant would ask them.
import { spawnSync } from 'node:child_process';
import { resolve } from 'node:path';

import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';

const cli = resolve(import.meta.dirname, '../dist/cli.js');

// A client that is not started from this shell does not know its SWF_DB.
const storeOption = process.env.SWF_DB ? ['--db', resolve(process.env.SWF_DB)] : [];

console.log('$ swf-mcp run --stf-count 3 --speed max\n');
const run = spawnSync(process.execPath, [cli, 'run', '--stf-count', '3', '--speed', 'max'], { stdio: 'inherit' });
if (run.status !== 0) process.exit(run.status ?? 1);

const client = new Client({ name: 'first-look', version: '0' });
await client.connect(
  new StdioClientTransport({ command: process.execPath, args: [cli], env: process.env, stderr: 'ignore' }),
);
const { tools } = await client.listTools();
console.log(`\nAn MCP client of "swf-mcp" finds ${tools.length} tools: ${tools.map(({ name }) => name).join(', ')}`);

const { structuredContent: monitor } = await client.callTool({
  name: 'get_workflow_monitor',
  arguments: { execution_id: 'latest' },
});
console.log(`
Its tool get_workflow_monitor says: ${monitor.execution_id} is ${monitor.status}, ${monitor.slices_completed} of ${monitor.progress.slices_planned} TF slices are done, ${monitor.findings.length === 0 ? 'and nothing is wrong' : monitor.findings.map(({ code, sentence }) => `${code}: ${sentence}`).join(' ')}.`);
await client.close();

console.log(`
Add it to Claude (or cursor, vscode, codex), and ask "how far along is my latest run?":

  npx swf-mcp ${['add', 'claude', ...storeOption, '--yes'].join(' ')}

Other MCP clients need this block:

${JSON.stringify({ mcpServers: { 'swf-mcp': { command: process.execPath, args: [cli, ...storeOption] } } }, null, 2)}

See the same in a terminal:

  npx swf-mcp status

And as pictures in your browser:

  npx swf-mcp open

Watch a run in progress, twenty times faster than real time:

  npx swf-mcp run --speed 20`);
