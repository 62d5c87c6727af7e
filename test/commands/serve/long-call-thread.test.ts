import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';

import { expect, it, onTestFinished } from 'vitest';

import type { LongReply, ToThread } from '../../../src/http/long-calls.ts';
import { cliPath, runWorkflow, temporaryFolder } from '../../helpers.ts';

it('a call thread abandons a call on request, and answers the next one', async () => {
  const folder = temporaryFolder();
  await runWorkflow(folder, '--stf-count', '1');
  const workerData = { path: join(folder, 'swf.db'), version: '0', program: cliPath };
  const { parts } = JSON.parse(readFileSync('dist/build.json', 'utf8')) as { parts: string };
  const thread = new Worker(`./dist/${parts}/long-call-thread.js`, { workerData });
  onTestFinished(() => void thread.terminate());
  const tell = (message: ToThread): void => thread.postMessage(message, []);
  const heard = async (): Promise<LongReply> => ((await once(thread, 'message')) as [LongReply])[0];

  const endless = 'WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n';
  tell({ tool: 'query_store', args: { sql: endless } });
  const reply = heard();
  // The thread reads its messages in order, and the call waits for another process.
  tell('give up');
  expect(await reply).toMatchObject({ message: expect.stringMatching(/cancelled before it was answered$/) });

  tell({ tool: 'query_store', args: { sql: 'SELECT count(*) FROM v_slices' } });
  expect(await heard()).toMatchObject({ answer: { rows: [[15]] } });

  // It finds the configurations of the package.
  tell({ tool: 'plan_run', args: {} });
  expect(await heard()).toMatchObject({ answer: { slices: expect.any(Number) as number } });
});
