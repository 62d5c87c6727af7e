import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

import { describe, expect, it } from 'vitest';

const env = { ...process.env, ACTIVEMQ_PASSWORD: 'x', SWF_MCP_TOKEN: 'x' };
const docker = (...args: string[]) => spawnSync('docker', args, { encoding: 'utf8', env });
const missing = docker('info').status !== 0;
if (missing) console.log('the image is not built: there is no Docker here');

describe.skipIf(missing)('the image of the example', { timeout: 1_200_000 }, () => {
  it('can be built, completes a run as its own user, and is the image that the compose file runs', () => {
    expect(docker('compose', '-f', 'examples/docker/compose.yaml', 'config', '--quiet')).toMatchObject({ status: 0 });
    expect(docker('build', '-f', 'examples/docker/Dockerfile', '-t', 'swf-mcp-test', '.')).toMatchObject({ status: 0 });
    const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
    expect(docker('run', '--rm', 'swf-mcp-test', '--version')).toMatchObject({ status: 0, stdout: `${version}\n` });
    const run = docker('run', '--rm', 'swf-mcp-test', 'run', '--stf-count', '1', '--speed', 'max', '--json');
    expect(JSON.parse(run.stdout)).toMatchObject({ status: 'completed', slices_completed: 15 });
  });
});
