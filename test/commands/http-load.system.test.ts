import { expect, it } from 'vitest';

import { ask, connectHttp, startCli, startHttp, temporaryFolder } from '../helpers.ts';

it('a server over HTTP serves 64 clients at once with consistent answers while a run is being written', async () => {
  const folder = temporaryFolder();
  const run = startCli(
    ['run', '--stf-count', '10', '--speed', '20', '--set', 'fast_processing.slice_processing_time=5'],
    { folder },
  );
  await run.saw(/start_run/);
  const { url } = await startHttp({ folder });
  const clients = await Promise.all(Array.from({ length: 64 }, () => connectHttp(url)));
  const counts = await Promise.all(
    clients.map(async (client) => {
      let before = 0;
      for (let round = 0; round < 5; round += 1) {
        const answer = await ask(client, 'get_workflow_monitor', { execution_id: 'latest' });
        // The counts that a client sees only grow, and the parts of an answer are from one moment.
        expect(answer['slices_completed']).toBeGreaterThanOrEqual(before);
        expect(
          answer['slices_queued'] + answer['slices_processing'] + answer['slices_completed'] + answer['slices_failed'],
        ).toBe(answer['slices_created']);
        before = answer['slices_completed'] as number;
      }
      return (await ask(client, 'list_messages', { execution_id: 'latest', limit: 200 }))['items'].length as number;
    }),
  );
  expect(counts.every((count) => count > 0)).toBe(true);
  expect(await run.finished).toMatchObject({ code: 0 });
});
