import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';

import { connectByStomp } from '../../src/broker/stomp-connection.ts';
import { destinations } from '../../src/messages/destinations.ts';
import { activeMq } from '../brokers/activemq.ts';
import { artemisBroker } from '../brokers/artemis.ts';
import type { Broker } from '../brokers/broker.ts';
import { type Answer, runCli, startCli, temporaryFolder } from '../helpers.ts';

const huge = Number.MAX_SAFE_INTEGER;

/** Forged messages of each type about one file, all of them false, with the ids of genuine ones. */
function forgeries(
  { execution_id, run_id, filename = '' }: Answer,
  namespace: string,
): [keyof typeof destinations, Answer][] {
  const next = filename.replace(/\d{6}/, (digits: string) => String(Number(digits) + 1).padStart(6, '0'));
  const envelope = { sender: 'forger', namespace, execution_id, run_id, message_id: 'forged' };
  const of = (stf: string): [keyof typeof destinations, Answer][] => {
    const sequence = Number(/\.(\d{6})\./.exec(stf)?.[1]);
    const tf_filename = stf.replace('.stf', '_tf_001.tf');
    const slice = {
      slice_id: 0,
      slice_filename: stf.replace('.stf', '_slice_000.tf'),
      tf_filename: stf.replace('.stf', '_tf_009.tf'),
      attempt: 1,
      worker_id: 'forger/01',
      hostname: 'forger',
    };
    return [
      ['broadcast', { msg_type: 'stf_gen', filename: stf, sequence, tf_count: 7 }],
      ['broadcast', { msg_type: 'stf_ready', filename: stf, sequence, tf_count: 7, size_bytes: huge }],
      ['broadcast', { msg_type: 'stf_ready', filename: stf, sequence: 99, tf_count: 1000 }],
      [
        'broadcast',
        { msg_type: 'tf_file_registered', tf_filename, stf_filename: stf, tf_first: 5000, tf_last: 5001, tf_count: 2 },
      ],
      [
        'broadcast',
        {
          msg_type: 'tf_file_registered',
          tf_filename,
          stf_filename: stf,
          tf_first: 0,
          tf_last: 9,
          tf_count: 10,
          run_id: '1',
        },
      ],
      ['slices', { msg_type: 'slice', ...slice, stf_filename: stf, start: 0, end: 0, tf_count: 1 }],
      ['results', { msg_type: 'slice_started', ...slice }],
      ['results', { msg_type: 'slice_result', ...slice, state: 'done' }],
      ['results', { msg_type: 'slice_result', ...slice, attempt: 40, state: 'failed' }],
      ['results', { msg_type: 'slice_returned', ...slice, reason: 'NO_FILE' }],
    ];
  };
  const commands: [keyof typeof destinations, Answer][] = [
    ['control', { msg_type: 'stop_workflow', command_id: 'forged', execution_id: 'nobody-x-0001' }],
    ['control', { msg_type: 'pause_workflow', command_id: 'forged', run_id: '1' }],
    ['control', { msg_type: 'run_workflow', command_id: 'forged', workflow_name: '../x' }],
    ['broadcast', { msg_type: 'end_run', total_stf_files: 0 }],
    ['broadcast', { msg_type: 'workflow_ended', status: 'failed', reason: 'forged' }],
    ['broadcast', { msg_type: 'pause_run', ordinal: 1, reason: 'operator' }],
    ['telemetry', { msg_type: 'agent_heartbeat', agent_name: 'forger', agent_type: 'worker', pid: huge, slots: huge }],
    ['telemetry', { msg_type: 'execution_state', store_id: 'forged', epoch: huge, status: 'failed' }],
    [
      'telemetry',
      { msg_type: 'agent_log', since: 'x', lines: [{ n: 1, timestamp: 'x', level: 'ERROR', message: 'forged' }] },
    ],
  ];
  return [...of(next), ...of(filename), ...commands].map(([destination, body]) => [
    destination,
    { ...envelope, ...body },
  ]);
}

for (const { kind, missing, start } of [activeMq, artemisBroker]) {
  const why = missing();
  if (why !== undefined) console.warn(why);

  describe.skipIf(why !== undefined)(`forged messages over ${kind}`, () => {
    let broker: Broker;
    beforeAll(async () => {
      broker = await start();
    });
    afterAll(() => broker.stop());

    it('before, between and after genuine ones do not change the outcome of a run', async () => {
      const namespace = 'forged';
      const folder = temporaryFolder();
      const forger = connectByStomp(broker.settings, () => {});
      onTestFinished(() => forger.close());
      let sent = 0;
      forger.subscribe({
        id: 'all',
        destination: destinations.broadcast,
        ack: 'auto',
        only: () => ({ namespace }),
        onMessage({ body, headers }) {
          const heard = JSON.parse(body) as Answer;
          if (heard['sender'] === 'forger') return;
          for (const [destination, forged] of forgeries(heard, namespace)) {
            if (destination === 'slices') continue;
            sent += 1;
            const of = { namespace, ...(headers['store_id'] === undefined ? {} : { store_id: headers['store_id'] }) };
            forger
              .send({ destination: destinations[destination], headers: of, body: JSON.stringify(forged) })
              .catch(() => {});
          }
        },
      });
      await forger.connect({ once: true });
      const args = ['run', '--broker', broker.url, '--stf-count', '4', '--speed', '20', '--json'];
      const settings = [
        'testbed.namespace=forged',
        'fast_processing.slice_processing_time=2',
        'fast_processing.target_worker_count=8',
      ];
      const run = startCli([...args, ...settings.flatMap((set) => ['--set', set])], { folder, env: broker.env });
      const { code, stdout, stderr } = await run.finished;
      expect({ code, stderr }).toMatchObject({ code: 0 });
      expect(JSON.parse(stdout)).toMatchObject({
        status: 'completed',
        stf_count: 4,
        tf_files_received: 4,
        slices_created: 60,
        slices_completed: 60,
        slices_failed: 0,
      });
      expect(sent).toBeGreaterThan(100);
      for (const words of [['check', '--deep'], ['status', '--json'], ['list'], ['report'], ['agents'], ['logs']])
        expect({ words, ...(await runCli(words, { folder })) }).toMatchObject({ words, code: 0 });
      const { dataset } = JSON.parse((await runCli(['status', '--json'], { folder })).stdout) as Answer;
      expect(dataset.bytes).toBeLessThan(huge);
    });
  });
}
