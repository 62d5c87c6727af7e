import { resolve } from 'node:path';

import { describe, expect, it, onTestFinished } from 'vitest';

import { replayDifferences } from '../../src/db/maintenance/replay.ts';
import { openStore } from '../../src/db/opening/open-store.ts';
import { createQueries } from '../../src/db/queries.ts';
import { promptFacts } from '../../src/db/reports/observed/prompt.ts';
import { isAlive } from '../../src/lib/process-identity.ts';
import { linesOfObject } from '../../src/observed/told/rest-rows.ts';
import { type Answer, ask, runCli, temporaryFolder } from '../helpers.ts';
import { shuffled } from './generator.ts';
import {
  changed,
  idsOf,
  isCall,
  isOfStf,
  isReport,
  judge,
  later,
  type Line,
  linesOf,
  onlyBus,
  readLines,
  typeOf,
} from './prompt-runs.ts';
import { tablesOf } from './tables.ts';

const bus = (name: string): Line[] => linesOf(name, 'bus');
const all = (name: string): Line[] => [...bus(name), ...linesOf(name, 'rest')].toSorted((a, b) => (a.t < b.t ? -1 : 1));

const stf = (run: number, n: number): string => `swf.${run}.00000${n}.stf`;

/** A line of the data agent: what it says on the bus, and what it writes to the monitor. */
const isOfDataAgent = (line: Line): boolean =>
  typeOf(line) === 'stf_ready' || isCall(line, 'POST', 'stf-files') || String(line['path']).startsWith('/api/runs/');

/** What is known of prompt processing of the run in some lines. */
async function promptOf(lines: readonly Line[]) {
  const { folder } = await readLines(lines);
  const store = await openStore(resolve(folder, 'swf.db'));
  onTestFinished(() => store.close());
  const execution = createQueries(store.db, isAlive).execution('prompt_processing-shifter-0001');
  return promptFacts(store.sql, execution, new Date().toISOString());
}

/** Files as they are read from their monitor, in place of the calls that registered them. */
const asRead = (lines: readonly Line[]): Line[] =>
  lines.flatMap((line) =>
    isCall(line, 'POST', 'stf-files')
      ? (linesOfObject('stf-files', { ...line['body'], ...line['answer'] }, line.t, '104001') as unknown as Line[])
      : [line],
  );

const minutesAfter = (lines: readonly Line[], minutes: number): string =>
  new Date(Date.parse(lines.at(-1)?.t ?? '') + 60_000 * minutes).toISOString();

/** Words about slices, which prompt processing has not. */
const slices = /slice|sample|\btf_/i;

describe('a recorded run', () => {
  it.each([
    ['PP-1', 3, 'H', [undefined]],
    ['PP-2', 6, 'F', ['E1_BNL', 'E1_JLAB']],
    ['PP-6', 5, 'H', [undefined]],
  ] as const)(
    '%s from the bus alone is announced and handed over, and nothing more is known',
    async (name, n, dialect, sites) => {
      const { monitor, audit, codes } = await judge(bus(name));
      expect(monitor).toMatchObject({
        workflow_name: 'prompt_processing',
        status: 'completed',
        status_reason: 'processing is not on the bus',
        health: 'finished',
        stf_count: n,
        dialect,
      });
      expect(monitor['sites'].map(({ site }: Answer) => site)).toEqual(sites);
      for (const site of monitor['sites']) {
        expect(site).toHaveProperty('handed_over_at');
        expect(site).not.toHaveProperty('registered');
      }
      expect(codes).toEqual([]);
      expect(audit['verdict']).toBe('open');
      expect(audit['summary']).toContain(`${n} of ${n} STF files were announced; the run was handed over to PanDA: `);
      expect(audit['summary']).toContain('Processing is not on the bus');
      expect(JSON.stringify([Object.keys(monitor), monitor['latency'], audit])).not.toMatch(slices);
    },
  );

  it('PP-1 with REST is balanced, with all files processed and the run closed', async () => {
    const { monitor, audit, codes } = await judge(all('PP-1'));
    expect(monitor).toMatchObject({
      status: 'completed',
      health: 'finished',
      dataset: { name: 'swf.104001.run', state: 'final', files: 3 },
      sites: [
        {
          task_id: '41001',
          output_dataset: 'user.shifter.swf.104001.processed',
          registered: 3,
          processing: 0,
          processed: 3,
          failed: 0,
        },
      ],
      configuration: { config: 'prompt_processing_default' },
    });
    expect(monitor).not.toHaveProperty('status_reason');
    expect(monitor['latency'].map(({ stage }: Answer) => stage)).toEqual([
      'stf_gen → registered',
      'registered → processed',
    ]);
    expect(monitor['latency'][0].p50).toBeLessThan(1);
    expect(monitor['agents'].map(({ agent_name: name }: Answer) => name)).toContain('processing-agent-shifter-2');
    expect(codes).toEqual([]);
    expect(audit).toMatchObject({ verdict: 'balanced' });
    expect(JSON.stringify(audit)).not.toMatch(slices);
  });

  it('PP-2 with REST has three files at each of its two sites', async () => {
    const { monitor, audit, client } = await judge(all('PP-2'));
    expect(monitor).toMatchObject({
      policy: 'round-robin',
      sites: ['E1_BNL', 'E1_JLAB'].map((site) => ({
        site,
        input_dataset: `group.daq:run.104101.${site}`,
        output_dataset: `user.shifter.swf.104101.processed.${site}`,
        registered: 3,
        processed: 3,
      })),
    });
    expect(audit).toMatchObject({ verdict: 'balanced', sites: [{ site: 'E1_BNL' }, { site: 'E1_JLAB' }] });
    expect(await ask(client, 'get_execution_timeline', { execution_id: 'latest' })).toMatchObject({
      sites: [{ processed: 3 }, { processed: 3 }],
    });
    const { items } = await ask(client, 'list_stf_files', { execution_id: 'latest', order: 'oldest' });
    expect(items[1]).toMatchObject({
      status: 'processed',
      sites: [{ name: 'E1_JLAB', status: 'processed', task_id: '41002' }],
    });
    const of = async (filter: Record<string, unknown>): Promise<unknown> =>
      (await ask(client, 'list_workflow_executions', filter))['total_count'];
    expect(await of({ site: 'E1_JLAB', workflow_name: 'prompt_processing' })).toBe(1);
    expect(await ask(client, 'list_workflow_executions', { site: 'E1_CERN' })).toMatchObject({
      total_count: 0,
      note: 'site "E1_CERN" was not found; the known sites are E1_BNL, E1_JLAB.',
    });
  });

  it.each(['H-1', 'F-1'])(
    '%s has the workflow of fast processing, whatever its id and the order of messages',
    async (name) => {
      const lines = JSON.parse(
        JSON.stringify(linesOf(name, 'bus')).replaceAll('stf_datataking-shifter-0001', 'foo-0001'),
      ) as Line[];
      const fast = { workflow_name: 'stf_datataking' };
      for (const some of [lines, lines.toReversed()]) expect((await judge(some)).monitor).toMatchObject(fast);
      const { client } = await readLines(lines);
      const { items } = await ask(client, 'list_workflow_executions', fast);
      expect(items).toMatchObject([{ execution_id: 'foo-0001', ...fast }]);
      const started = lines.filter((line) => ['run_imminent', 'start_run', 'stf_gen'].includes(String(typeOf(line))));
      expect((await judge(started)).monitor).not.toHaveProperty('workflow_name');
    },
  );

  it('PP-4 stays open, since its data run was never closed', async () => {
    const { monitor, audit, codes } = await judge(all('PP-4'));
    expect(monitor).toMatchObject({ status: 'terminated', health: 'stalled', dataset: { state: 'open' } });
    expect(codes).toEqual(['RUN_NOT_CLOSED']);
    expect(audit['verdict']).toBe('open');
    expect(idsOf(audit, 'run_closed')).toEqual(['104301']);
    expect(await judge(bus('PP-4'))).toMatchObject({ monitor: { status: 'unknown' }, codes: [] });
  });

  it('PP-5 is two runs on one bus, each with its own workflow', async () => {
    const { client, executions } = await readLines(all('PP-5'));
    expect(executions).toEqual(['prompt_processing-shifter-0001', 'stf_datataking-shifter-0001']);
    for (const [workflow_name, namespace] of [
      ['prompt_processing', 'epic-prompt'],
      ['stf_datataking', 'epic-shift'],
    ]) {
      const { items } = await ask(client, 'list_workflow_executions', { workflow_name });
      expect(items).toMatchObject([{ workflow_name, namespace }]);
      expect(await ask(client, 'audit_execution', { execution_id: items[0].execution_id })).toMatchObject({
        verdict: 'balanced',
      });
    }
    const fast = await judge(bus('PP-5'), { id: 'stf_datataking-shifter-0001' });
    expect(fast.monitor).toMatchObject({ slices_sent: 66, slices_completed: 66 });
    expect(fast.monitor).not.toHaveProperty('sites');
  });

  it('PP-6 with REST lacks the files whose upload was refused, and names the file that failed', async () => {
    const { monitor, audit, findings, codes } = await judge(all('PP-6'));
    expect(codes).toEqual(['STF_NOT_REGISTERED', 'STF_FAILED']);
    expect(findings['STF_NOT_REGISTERED']).toMatch(/^2 STF files were announced/);
    expect(findings['STF_FAILED']).toContain('panda job 7001002 failed');
    expect(monitor['sites']).toMatchObject([{ registered: 3, processed: 2, failed: 1 }]);
    expect(audit['verdict']).toBe('open');
    expect(idsOf(audit, 'stf_registered')).toEqual([stf(104501, 1), stf(104501, 3)]);
    expect(audit['summary']).toContain(`1 STF file failed in PanDA: ${stf(104501, 4)}`);
  });

  it.each(['PP-1', 'PP-2', 'PP-6'])(
    '%s gives the same tables in any order, with repeats, and when replayed from its own log',
    async (name) => {
      const storeOf = async (lines: readonly Line[]) => {
        const { folder } = await readLines(lines);
        return openStore(`${folder}/swf.db`);
      };
      const store = await storeOf(all(name));
      const expected = tablesOf(store.db);
      for (const seed of [1, 2, 3]) {
        // Rows are named by the answers to their registrations, which a recording has in order.
        const [heard, called] = [shuffled(bus(name), seed), linesOf(name, 'rest')];
        const other = await storeOf(seed === 1 ? [...heard, ...called] : [...called, ...heard, ...heard]);
        expect(tablesOf(other.db)).toEqual(expected);
        other.close();
      }
      const empty = await openStore(`${temporaryFolder()}/empty.db`);
      expect(await replayDifferences(store.sql, empty)).toEqual({ sentences: [], count: 0 });
      store.close();
      empty.close();
    },
  );
});

describe('a prompt-processing run', () => {
  it('with a site that refuses the task is complete, and its failed files are named', async () => {
    const reason = 'all selected decision-box site submissions failed';
    const refused = all('PP-2').map((line) =>
      changed(line, (body) => {
        if (!isReport(line) || body['metadata'].panda_site_statuses?.E1_JLAB === undefined) return;
        body['status'] = 'failed';
        body['metadata'].panda_poll_reason = reason;
        body['metadata'].panda_site_statuses = { E1_JLAB: { status: 'failed', input_dataset: 'x' } };
      }),
    );
    const { audit, monitor, findings } = await judge(refused);
    expect(findings).toEqual({ STF_FAILED: `3 STF files failed in PanDA (3 at E1_JLAB): ${reason}.` });
    expect(monitor['sites']).toMatchObject([{ processed: 3 }, { site: 'E1_JLAB', processed: 0, failed: 3 }]);
    expect(audit).toMatchObject({ verdict: 'balanced' });
    expect(audit['summary']).toContain(`3 STF files failed in PanDA: ${stf(104101, 2)}`);
    expect(audit['summary']).toMatch(/failed in PanDA: (?:swf\.\S+, ){2}swf\.\S+\.$/);
    expect((await judge(onlyBus(refused))).codes).toEqual([]);
  });

  it('whose data agent is killed looks healthy on the bus, but not over REST', async () => {
    const lines = all('PP-1');
    const third = isOfStf(stf(104001, 3), lines);
    const killed = lines.filter((line) => {
      const isDead = third(line) && typeOf(line) !== 'stf_gen';
      return !isDead && !isCall(line, 'PATCH', 'runs');
    });
    const { monitor, audit, codes } = await judge(killed);
    expect(codes).toEqual(['STF_NOT_REGISTERED', 'RUN_NOT_CLOSED']);
    expect(monitor).toMatchObject({ status: 'completed', health: 'stalled' });
    expect(audit['verdict']).toBe('open');
    expect(idsOf(audit, 'stf_registered')).toEqual([stf(104001, 3)]);
    expect(await judge(onlyBus(killed))).toMatchObject({ codes: [], monitor: { health: 'finished' } });
  });

  it('without a data agent is reported as not handed over', async () => {
    const lines = all('PP-1').filter((line) => !isOfDataAgent(line) && !isReport(line));
    const heard = await judge(onlyBus(lines));
    expect(heard.findings['NOT_HANDED_OVER']).toMatch(/^3 STF files were announced, but no data agent/);
    expect(idsOf(heard.audit, 'handed_over')).toEqual([]);
    expect(heard.audit['summary']).toContain('not handed over to PanDA');
    const told = await judge(lines);
    expect(told.codes).toEqual(['NOT_HANDED_OVER', 'STF_NOT_REGISTERED']);
    expect(told.audit['verdict']).toBe('open');
  });

  it('with the policy "none" is balanced with REST, and needs no hand-over', async () => {
    const lines = all('PP-2')
      .filter((line) => typeOf(line) !== 'stf_ready' && !isReport(line))
      .map((line) =>
        changed(line, (body) => {
          if (body['decision_policy'] !== undefined) body['decision_policy'] = 'none';
          const settings = body['parameter_values']?.prompt_processing;
          if (settings !== undefined) settings.decision_box_policy = 'none';
          if (body['metadata']?.decision_box_selected_sites !== undefined)
            Object.assign(body['metadata'], { decision_box_selected_sites: [], decision_box_site_datasets: [] });
        }),
      );
    expect(await judge(onlyBus(lines))).toMatchObject({ codes: [], monitor: { policy: 'none' } });
    const { audit, codes, monitor } = await judge(lines);
    expect(codes).toEqual([]);
    expect(monitor).toMatchObject({ health: 'finished' });
    expect(monitor['sites']).toMatchObject([
      { site: 'E1_BNL', registered: 0 },
      { site: 'E1_JLAB', registered: 0 },
    ]);
    expect(audit).toMatchObject({ verdict: 'balanced' });
  });

  it('without a processing agent stays open, and has no health once it is no longer observed', async () => {
    const lines = all('PP-1').filter((line) => !isReport(line));
    const { monitor, audit, findings } = await judge(lines);
    expect(monitor).toMatchObject({ status: 'completed' });
    expect(monitor).not.toHaveProperty('health');
    expect(findings['STF_NOT_PROCESSED']).toMatch(
      /^3 STF files had neither been processed nor failed when observation/,
    );
    expect(audit['verdict']).toBe('open');
    expect(idsOf(audit, 'stf_processed')).toHaveLength(3);
  });

  it('known only from reading its monitor has no time of a last report', async () => {
    const lines = all('PP-1').filter((line) => !isReport(line));
    expect((await promptOf(lines)).last_report).toEqual(expect.any(Number));
    const { last_report, open } = await promptOf(asRead(lines));
    expect({ last_report, open: open.count }).toEqual({ last_report: undefined, open: 3 });
  });

  it('with fast-processing agents in it is reported as mixed', async () => {
    const lines = all('PP-1');
    const ready = bus('PP-1').find((line) => typeOf(line) === 'stf_ready') as Line;
    const meant = (body: Answer): Line => ({ ...ready, body: { ...ready['body'], ...body } });
    const strangers = [
      meant({ req_id: undefined, filename: stf(104001, 1), sender: 'data-agent-shifter-9' }),
      meant({ msg_type: 'tf_file_registered', tf_filename: 'x.tf', sender: 'fastmon-agent-shifter-8' }),
    ];
    const { findings, monitor } = await judge([...lines, ...strangers]);
    expect(Object.keys(findings)).toEqual(['WORKFLOWS_MIXED']);
    expect(findings['WORKFLOWS_MIXED']).toContain('data-agent-shifter-9, fastmon-agent-shifter-8 took part');
    expect(monitor['sites']).toMatchObject([{ processed: 3 }]);
  });

  it('whose runner reports another workflow to the monitor is shown under its actual workflow', async () => {
    const lines = all('PP-1').map((line) =>
      changed(line, (body) => {
        if (isCall(line, 'POST', 'workflow-executions')) body['parameter_values'].workflow.name = 'stf_datataking';
      }),
    );
    expect((await judge(lines)).monitor).toMatchObject({ workflow_name: 'prompt_processing' });
  });

  it('with an unusual execution id is recognized by its dataset, in any order of messages', async () => {
    const renamed = (lines: readonly Line[]): Line[] =>
      JSON.parse(JSON.stringify(lines).replaceAll('prompt_processing-shifter-0001', 'night-run')) as Line[];
    const told = await judge(renamed(all('PP-2')));
    expect(told).toMatchObject({ monitor: { workflow_name: 'prompt_processing' }, audit: { verdict: 'balanced' } });
    const late = renamed(bus('PP-2').toReversed());
    expect(await judge([...renamed(linesOf('PP-2', 'rest')), ...late])).toMatchObject({
      audit: { verdict: 'balanced' },
      monitor: { sites: [{ processed: 3 }, { processed: 3 }] },
    });
  });

  it('with an unusual id and an unheard beginning is recognized by what only its agents do', async () => {
    const renamed = (lines: readonly Line[]): Line[] =>
      (JSON.parse(JSON.stringify(lines).replaceAll('prompt_processing-shifter-0001', 'night-run')) as Line[]).filter(
        (line) => typeOf(line) !== 'run_imminent',
      );
    const told = await judge(renamed(linesOf('PP-2', 'rest')));
    expect(told).toMatchObject({
      monitor: { workflow_name: 'prompt_processing', sites: [{ processed: 3 }, { processed: 3 }] },
      codes: [],
    });
    const heard = await judge(renamed(bus('PP-2')));
    expect(heard).toMatchObject({ monitor: { workflow_name: 'prompt_processing', sites: [{}, {}] }, codes: [] });
    const files = renamed(bus('PP-2')).filter((line) => typeOf(line) !== 'stf_ready');
    const { monitor, audit, codes } = await judge(files);
    expect(monitor).not.toHaveProperty('workflow_name');
    expect({ codes, verdict: audit['verdict'] }).toEqual({ codes: [], verdict: 'open' });
    expect(audit['summary']).toContain('Nothing shows which workflow the run belongs to');
  });

  it('whose id names fast processing keeps that workflow, even with agents of both workflows', async () => {
    const lines = bus('PP-1')
      .filter((line) => typeOf(line) !== 'run_imminent')
      .map((line) => JSON.parse(JSON.stringify(line).replaceAll('prompt_processing-', 'stf_datataking-')) as Line);
    const { monitor, codes } = await judge(lines);
    expect(monitor).toMatchObject({ workflow_name: 'stf_datataking' });
    expect(codes).toContain('WORKFLOWS_MIXED');
  });

  it('is reported as not handed over only after a minute of listening', async () => {
    const lines = bus('PP-1').filter((line) => typeOf(line) !== 'stf_ready' && typeOf(line) !== 'end_run');
    expect((await judge(lines)).codes).toEqual([]);
    expect((await judge(lines, { until: minutesAfter(lines, 2) })).codes).toEqual(['NOT_HANDED_OVER']);
    const gap = { gap: { from: lines[3]?.t, until: lines[4]?.t, reason: 'the broker was away' } } as unknown as Line;
    const gone = await judge([...lines.slice(0, 4), gap, ...lines.slice(4)], { until: minutesAfter(lines, 2) });
    expect(gone.codes).toEqual(['NOT_HEARD']);
  });
});

describe('two runs of prompt processing', () => {
  it('are judged separately', async () => {
    const calls = later(linesOf('PP-1', 'rest')).map((line) =>
      // A monitor counts on.
      JSON.parse(
        JSON.stringify(line)
          .replaceAll('"run_id":1,', '"run_id":2,')
          .replaceAll('"run":1,', '"run":2,')
          .replaceAll('/api/runs/1/', '/api/runs/2/'),
      ),
    ) as Line[];
    const { client, executions } = await readLines([...all('PP-1'), ...later(bus('PP-1')), ...calls]);
    expect(executions).toHaveLength(2);
    const { items } = await ask(client, 'list_workflow_executions', { workflow_name: 'prompt_processing' });
    expect(items).toMatchObject([{ health: 'finished' }, { health: 'finished' }]);
  });

  it('lead to DATA_AGENT_WAITS if the first is not closed and the second not handed over', async () => {
    const first = all('PP-1').filter((line) => !isCall(line, 'PATCH', 'runs'));
    const second = later(all('PP-1')).filter((line) => !isOfDataAgent(line) && !isReport(line));
    const { findings, codes } = await judge([...first, ...second], { id: 'prompt_processing-shifter-0002' });
    expect(codes).toEqual(['NOT_HANDED_OVER', 'DATA_AGENT_WAITS', 'STF_NOT_REGISTERED']);
    expect(findings['DATA_AGENT_WAITS']).toContain('the earlier run 104001 was never closed');
    expect((await judge(first)).codes).toEqual(['RUN_NOT_CLOSED']);
  });
});

describe('known findings of a configuration', () => {
  it('take up one line of the status, and must have existing codes', async () => {
    const folder = temporaryFolder();
    const read = (known: string) =>
      runCli(['observe', '--from', resolve('test/recordings/PP-5/bus.jsonl.gz'), '--set', `observe.known=${known}`], {
        folder,
      });
    expect(await read('["SIZE_CHANGED", "CONTRACT_BROKEN fast_processing-agent-*"]')).toMatchObject({ code: 0 });
    const { stdout } = await runCli(['status', 'stf_datataking-shifter-0001'], { folder });
    expect(stdout).toContain('KNOWN: 2 known findings: CONTRACT_BROKEN, SIZE_CHANGED.');
    expect(stdout).not.toContain('slice messages');
    const wrong = await read('["SIZE_CHANGE"]');
    expect(wrong.code).toBe(1);
    expect(wrong.stderr).toContain('the nearest is SIZE_CHANGED');
    expect(await read('[]')).toMatchObject({ code: 0 });
    expect((await runCli(['status', 'stf_datataking-shifter-0001'], { folder })).stdout).toContain(
      'SIZE_CHANGED: From',
    );
  });
});
