import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { expect, it } from 'vitest';

import { markFolder } from '../../src/files/folders.ts';
import { pass } from '../still-time.ts';
import { agentSite, sliceHeaders, sliceOf } from './agent-setup.ts';
import { destinations, execution_id, stateOf } from './line.ts';

it('a remote payload command runs in the environment of its host, and its exit code and output are sent', async () => {
  const here = await agentSite();
  const heard = here.overhear(destinations.results);
  const program = join(here.dir, 'payload.sh');
  writeFileSync(program, '#!/bin/sh\necho "from $SITE"\nexit 3\n', { mode: 0o755 });
  const file = join(here.dir, execution_id, 'swf.7.000001_tf_001.tf');
  mkdirSync(join(here.dir, execution_id));
  writeFileSync(file, 'x');
  markFolder(here.dir, 's1');
  const environment = { PATH: process.env['PATH'], SITE: 'this host' };
  const agent = await here.start(
    'worker',
    { environment },
    { data: { dir: here.dir }, worker: { payload: [program] } },
  );
  await here.tell(destinations.telemetry, stateOf());
  const asked = { file_url: `file://${file}`, payload: { name: 'payload.sh' }, speed: undefined };
  await here.tell(destinations.slices, sliceOf(0, 1, asked), sliceHeaders);
  await expect
    .poll(() => heard.map(({ body }) => body).at(-1))
    .toMatchObject({ msg_type: 'slice_result', state: 'failed', exit_code: 3, output_tail: 'from this host\n' });
  agent.stop();
  await pass(5);
  await agent.done;
});
