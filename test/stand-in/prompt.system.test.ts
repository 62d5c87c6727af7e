import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { type Answer, ask, connectInProcess, runCli, startCli, temporaryFolder } from '../helpers.ts';
import { Player, readCalls } from './player.ts';

describe('the programs of prompt processing, with swf-mcp as their monitor,', () => {
  it.each([
    ['PP-1', [], { processed: 3, failed: 0 }],
    ['PP-2', [], { site: 'E1_BNL', processed: 3, failed: 0 }],
    ['PP-6', ['stf_registered'], { processed: 2, failed: 1 }],
  ] as const)('get the recorded answers, and the state of run %s follows from their calls', async (run, open, site) => {
    const folder = temporaryFolder();
    const started = startCli(['observe', '--api', '0'], { folder, env: { SWF_MONITOR_TOKEN: 'secret' } });
    const root = (await started.saw(/stands in for swf-monitor at (\S+)\//)).replace(/\/$/, '');
    const player = new Player(root);
    await player.play(await readCalls(run));
    // Asked with a limit, the recorder of these runs answered lists, and swf-monitor pages: their agents take both.
    expect(player.differences.filter((one) => !/"limit".*: no list$/.test(one))).toEqual([]);
    const bus = join(process.cwd(), 'test/recordings', run, 'bus.jsonl.gz');
    expect((await runCli(['observe', '--from', bus], { folder })).code).toBe(0);
    started.child.kill('SIGTERM');
    expect(await started.finished).toMatchObject({ code: 0 });
    const client = await connectInProcess(join(folder, 'swf.db'));
    const of = { execution_id: 'latest' };
    const { checks } = await ask(client, 'audit_execution', of);
    expect(checks.flatMap(({ check, state }: Answer) => (state === 'ok' ? [] : check))).toEqual(open);
    const { sites, workflow_name } = await ask(client, 'get_workflow_monitor', of);
    expect(workflow_name).toBe('prompt_processing');
    expect(sites[0]).toMatchObject(site);
    const { items } = await ask(client, 'list_agents', { agent_type: 'processing', include_exited: true });
    expect(items).toHaveLength(1);
  });
});
