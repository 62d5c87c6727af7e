import { describe, expect, it, vi } from 'vitest';

import { ask, connectInProcess, startCli, temporaryFolder } from '../helpers.ts';
import {
  askWithin,
  clientOf,
  doneSlices,
  evidenceOf,
  findingOf,
  monitorOf,
  slice,
  storeOfSlices,
  tf,
} from './asking.ts';

const payload = { worker: { payload: ['reconstruct'] } };

/** A run whose slice 5 hangs for good; the others take a fifth of a second. */
const hangs = 'worker.payload=["/bin/sh","-c","case $SWF_SLICE_ID in 5) sleep 300;; *) sleep 0.2;; esac"]';

describe('the answer to "is the run stuck?"', () => {
  it('shows a hanging slice, its worker, when it began to hang, the usual time and the limit', async () => {
    const folder = temporaryFolder();
    startCli(['run', '--speed', '20', '--stf-count', '1', '--set', hangs], { folder });
    await expect.poll(async () => (await monitorOf(await clientOf(folder)))['slices_completed']).toBe(14);
    const client = await clientOf(folder);
    await expect.poll(async () => (await monitorOf(client))['health']).toBe('slow');
    const monitor = await monitorOf(client);
    const overdue = findingOf(monitor, 'SLICE_OVERDUE');
    expect(overdue).toMatchObject({
      severity: 'warning',
      ids: [slice(1, 5), expect.stringMatching(/^worker-agent-tester-5\/\d\d$/)],
    });
    expect(overdue?.['sentence']).toMatch(
      /^1 .* [\d.]+ s \(usually [\d.]+ s; .* 10 min\): swf\.100010\.000001_slice_005\.tf by worker-agent-tester-5\/\d\d since 20\S+Z \((?:\d+ min )?\d+(\.\d)? s\)\.$/,
    );
    expect(monitor).toMatchObject({
      slices_overdue: 1,
      slices_processing: 1,
      oldest_in_hand: { slice_filename: slice(1, 5), attempt: 1 },
    });
    const { seconds } = monitor['oldest_in_hand'];
    expect(monitor['progress'].seconds_left).toBeGreaterThanOrEqual(Math.floor(seconds - 0.5));
    expect(monitor['progress'].at_most).toBeGreaterThan(600);
    expect((await evidenceOf(client, monitor, 'SLICE_OVERDUE'))['items']).toMatchObject([
      { slice_filename: slice(1, 5), status: 'processing' },
    ]);
    expect(await ask(client, 'wait_for_execution', { execution_id: 'latest', timeout_seconds: 1 })).toMatchObject({
      health: 'slow',
      slices_overdue: 1,
      oldest_in_hand: { slice_filename: slice(1, 5) },
      next: expect.stringMatching(/^it is slow: get_workflow_monitor reports what is overdue/),
    });
  });

  it('says that nothing else is being processed if payloads hang in every slot', async () => {
    const folder = temporaryFolder();
    const both = hangs.replace('5)', '5|6)');
    startCli(
      ['run', '--speed', '20', '--stf-count', '1', '--set', both, '--set', 'fast_processing.target_worker_count=2'],
      {
        folder,
      },
    );
    await expect.poll(async () => (await monitorOf(await clientOf(folder)))['slices_processing']).toBe(2);
    const client = await clientOf(folder);
    const sentence = async () =>
      findingOf(await monitorOf(client), 'SLICE_OVERDUE')?.['sentence'] as string | undefined;
    await expect.poll(sentence).toMatch(/^2 .*\. Such slices occupy all 2 slots/);
  });

  it('changes with time alone: the finding appears even if nothing is written', async () => {
    const made = await storeOfSlices([...doneSlices(6, 0.2), { queued: 4, started: 3.5 }]);
    const client = await connectInProcess(made.path);
    const before = await monitorOf(client);
    expect(before).toMatchObject({ slices_overdue: 0, health: 'draining' });
    expect(findingOf(before, 'SLICE_OVERDUE')).toBeUndefined();
    const rows = () => made.store.db.pragma('data_version', { simple: true });
    const written = rows();
    vi.setSystemTime(Date.now() + 2000);
    expect(findingOf(await monitorOf(client), 'SLICE_OVERDUE')).toBeDefined();
    expect(rows()).toBe(written);
  });

  it.each([
    ['draining', 4, 0.2],
    ['slow', 6, 0.2],
    ['stalled', 16, 0.2],
    ['draining', 25, 10],
    ['slow', 35, 10],
    ['stalled', 65, 10],
  ] as const)(
    'is "%s" for a slice that has been in hand for %i s, if 95 of 100 slices take up to %d s',
    async (health, seconds, usual) => {
      const made = await storeOfSlices([...doneSlices(6, usual), { queued: seconds + 1, started: seconds }]);
      expect((await monitorOf(await connectInProcess(made.path)))['health']).toBe(health);
    },
  );

  it.each([
    ['draining', 50],
    ['slow', 70],
    ['slow', 550],
  ] as const)(
    'is "%s" for the first slice of a payload after %i s, while no usual time is known',
    async (health, seconds) => {
      const made = await storeOfSlices([{ queued: seconds + 1, started: seconds }], payload);
      const monitor = await monitorOf(await connectInProcess(made.path));
      expect(monitor['health']).toBe(health);
      expect(monitor['oldest_in_hand']).not.toHaveProperty('usual_seconds');
      if (health === 'slow')
        expect(findingOf(monitor, 'SLICE_OVERDUE')).toMatchObject({
          severity: 'warning',
          sentence: expect.stringContaining(' 10 min'),
        });
    },
  );

  it('uses the planned duration for the first slices of a placeholder payload', async () => {
    const healthOf = async (seconds: number) => {
      const made = await storeOfSlices([{ queued: seconds + 1, started: seconds }], {
        fast_processing: { slice_processing_time: 10 },
      });
      return (await monitorOf(await connectInProcess(made.path)))['health'];
    };
    expect([await healthOf(25), await healthOf(35), await healthOf(65)]).toEqual(['draining', 'slow', 'stalled']);
  });

  it('ignores quick failures, which do not show how long a slice takes', async () => {
    const failed = Array.from({ length: 8 }, () => ({ queued: 3 }));
    const made = await storeOfSlices([...doneSlices(6, 30), { queued: 61, started: 60 }, ...failed], {
      worker: { max_retries: 0 },
    });
    for (const id of [7, 8, 9, 10, 11, 12, 13, 14]) {
      const of = { slice_id: id, slice_filename: slice(1, id), tf_filename: tf(1), attempt: 1 };
      const by = { worker_id: 'worker-agent-tester-9/02', hostname: 'host' };
      await made.say('slice_started', { ...of, ...by });
      await made.say('slice_result', { ...of, ...by, state: 'failed', error: 'at once' });
    }
    const monitor = await monitorOf(await connectInProcess(made.path));
    expect(monitor).toMatchObject({ health: 'draining', slices_failed: 8, slices_overdue: 0 });
  });

  it('is "stalled" for a queue without workers, and shows for how long', async () => {
    const made = await storeOfSlices([...doneSlices(5, 0.2), { queued: 40 }]);
    const monitor = await monitorOf(await connectInProcess(made.path));
    expect(monitor).toMatchObject({ health: 'stalled', slices_queued: 1, slices_processing: 0 });
    expect(findingOf(monitor, 'AGENT_MISSING')?.['sentence']).toMatch(/\(1 .*\bworker\b.* (39|4\d)(\.\d)? s\)/);
  });

  it('names a reader that is far behind, and says when that began', async () => {
    const made = await storeOfSlices(doneSlices(1, 0.1));
    const timestamp = new Date(Date.now() - 100_000).toISOString();
    await made.store.write((tx) => {
      tx.sql(`INSERT INTO cursors (execution_id, role, seq) VALUES ('stf_datataking-tester-0001', 'fastmon', 4)`).run();
      for (let sequence = 2; sequence <= 1100; sequence += 1) {
        const name = `swf.100010.${String(sequence).padStart(6, '0')}.stf`;
        const envelope = {
          sender: 's',
          namespace: 'test',
          execution_id: 'stf_datataking-tester-0001',
          run_id: '100010',
          timestamp,
        };
        made.store.messages.record(
          tx,
          { msg_type: 'stf_gen', filename: name, sequence, tf_count: 10, ...envelope },
          { recordedAt: timestamp },
        );
        made.store.messages.record(
          tx,
          { msg_type: 'stf_ready', filename: name, sequence, tf_count: 10, ...envelope },
          { recordedAt: timestamp },
        );
      }
    });
    const monitor = await monitorOf(await connectInProcess(made.path));
    expect(findingOf(monitor, 'READER_BEHIND')).toMatchObject({ ids: ['fastmon'], severity: 'warning' });
    expect(findingOf(monitor, 'READER_BEHIND')?.['sentence']).toMatch(
      new RegExp(`since ${timestamp}, (?:1[01]\\d s|2 min(?: \\d+ s)?) ago`),
    );
  });

  it('reports a clock that was set back', async () => {
    const made = await storeOfSlices(doneSlices(1, 0.1));
    await made.store.write((tx) => {
      tx.sql('UPDATE message_rows SET recorded_ms = ? WHERE seq = (SELECT max(seq) FROM workflow_messages)').run(
        Date.now() + 3_600_000,
      );
    });
    const monitor = await monitorOf(await connectInProcess(made.path));
    expect(findingOf(monitor, 'CLOCK_OFF')?.['sentence']).toMatch(/\b(?:1 h|59 min \d\d s) ahead of\b/);
    expect(monitor).not.toHaveProperty('duration_seconds');
  });
});

describe('the answer to "which workers are busy?"', () => {
  it('is PROCESSING while a slice is in hand, then READY, and EXITED after the run', async () => {
    const folder = temporaryFolder();
    const run = startCli(
      [
        'run',
        '--speed',
        '1',
        '--stf-count',
        '1',
        '--set',
        'fast_processing.slice_processing_time=4',
        '--set',
        'daq_state_machine.no_beam_not_ready_delay=0.1',
        '--set',
        'daq_state_machine.beam_not_ready_delay=0.1',
        '--set',
        'daq_state_machine.beam_ready_delay=0.1',
        '--set',
        'daq_state_machine.broadcast_delay=0.1',
        '--set',
        'daq_state_machine.beam_not_ready_end_delay=5',
      ],
      { folder },
    );
    await run.saw(/start_run/);
    const client = await clientOf(folder);
    const stateOf = async () =>
      (await askWithin(client, 'list_agents', { agent_type: 'worker', execution_id: 'latest' }))['items'][0]?.state;
    await expect.poll(async () => (await monitorOf(client))['slices_processing']).toBe(15);
    expect(await stateOf()).toBe('PROCESSING');
    await expect.poll(async () => (await monitorOf(client))['slices_completed']).toBe(15);
    expect(await stateOf()).toBe('READY');
    await run.finished;
    expect(await stateOf()).toBe('EXITED');
  });
});
