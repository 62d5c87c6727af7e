import { describe, expect, it } from 'vitest';

import { stageStates } from '../../src/monitoring/stage-states.ts';
import { ago, factsOf, type Given } from './situation.ts';

const stateOf = (stage: string, given: Given): string | undefined =>
  stageStates(factsOf(given)).find((one) => one.stage === stage)?.state;

const done = (seconds: number) => [
  { stage: 'slice_started → slice_result' as const, items: 9, mean: 2, p50: 2, p95: 2, max: 3, last_at: ago(seconds) },
];
const left = (stage: 'stf_gen → stf_ready' | 'stf_ready → tf_file_registered', seconds: number, mean = 1) => [
  { stage, items: 9, mean, p50: mean, p95: mean, max: mean, last_at: ago(seconds) },
];

describe('the state of a stage', () => {
  it.each<[string, string, Given, string]>([
    ['without work', 'worker', {}, 'waiting'],
    ['that took a slice recently', 'worker', { counts: { slices_queued: 4 }, facts: { delays: done(3) } }, 'working'],
    [
      'that has had work for three times its usual time',
      'worker',
      { counts: { slices_queued: 4 }, facts: { delays: done(300), waiting_since: { worker: ago(7) } } },
      'slow',
    ],
    [
      'that takes nothing while more and more arrives',
      'worker',
      { counts: { slices_queued: 400 }, facts: { delays: done(60), waiting_since: { worker: ago(50) } } },
      'stuck',
    ],
    [
      'that has just received its first work',
      'worker',
      { counts: { slices_queued: 400 }, facts: { delays: done(60), waiting_since: { worker: ago(2) } } },
      'working',
    ],
    [
      'of workers that were idle during a standby in between',
      'worker',
      {
        counts: { slices_queued: 4 },
        facts: {
          delays: done(20),
          waiting_since: { worker: ago(18) },
          standbys: [
            { start: Date.parse(ago(16)), end: Date.parse(ago(2)) },
            { start: Date.parse(ago(60)), end: Date.parse(ago(40)) },
          ],
        },
      },
      'working',
    ],
    [
      'of workers that are idle during a standby',
      'worker',
      {
        counts: { slices_queued: 4 },
        facts: {
          phase: 'standby',
          delays: done(50),
          waiting_since: { worker: ago(50) },
          standbys: [{ start: Date.parse(ago(48)), end: undefined }],
        },
      },
      'paused',
    ],
    [
      'of workers that took nothing even before the standby',
      'worker',
      {
        counts: { slices_queued: 4 },
        facts: {
          phase: 'standby',
          delays: done(50),
          waiting_since: { worker: ago(50) },
          standbys: [{ start: Date.parse(ago(2)), end: undefined }],
        },
      },
      'stuck',
    ],
    [
      'of workers that an operator has paused',
      'worker',
      { counts: { slices_queued: 4 }, facts: { isHeld: true, phase: 'standby', delays: done(500) } },
      'paused',
    ],
    [
      'that registers nothing while more files arrive',
      'data',
      {
        facts: {
          stfs_ready: 4,
          delays: left('stf_gen → stf_ready', 40),
          last_stf_at: ago(1),
          waiting_since: { data: ago(30) },
        },
      },
      'stuck',
    ],
    [
      'that has waited only since the last file',
      'data',
      { facts: { stfs_ready: 4, delays: left('stf_gen → stf_ready', 40), last_stf_at: ago(1) } },
      'working',
    ],
    [
      'that has sampled nothing for six times its usual time',
      'fastmon',
      {
        counts: { tf_files_received: 4 },
        facts: { delays: left('stf_ready → tf_file_registered', 60, 8), waiting_since: { fastmon: ago(49) } },
      },
      'stuck',
    ],
    [
      'that has sampled nothing for less than six times its usual time',
      'fastmon',
      {
        counts: { tf_files_received: 4 },
        facts: { delays: left('stf_ready → tf_file_registered', 60, 8), waiting_since: { fastmon: ago(47) } },
      },
      'slow',
    ],
    ...(
      [
        [19, 'working'],
        [59, 'slow'],
        [61, 'stuck'],
      ] as const
    ).map(([seconds, state]): [string, string, Given, string] => [
      `whose usual time is unknown, after ${seconds} s`,
      'data',
      { facts: { stfs_ready: 4, delays: [], waiting_since: { data: ago(seconds) } } },
      state,
    ]),
    [
      'of workers elsewhere that are busy with other executions',
      'worker',
      {
        counts: { slices_queued: 4 },
        facts: { isOverBroker: true, delays: done(60), waiting_since: { worker: ago(50) }, others_in_hand: 3 },
      },
      'working',
    ],
    [
      'of workers that begin suspect slices one at a time',
      'worker',
      {
        counts: { slices_queued: 400, slices_processing: 1 },
        params: { worker: { payload: ['run'] } },
        facts: {
          delays: [],
          waiting_since: { worker: ago(500) },
          in_hand: [{ slice_filename: 's', assigned_worker: 'w', since: ago(40), attempt: 1, isLost: false }],
        },
      },
      'working',
    ],
    ['that makes no slices', 'fast_processing', { facts: { slices_expected: 200 } }, 'stuck'],
    ['that makes files on time', 'daq_simulator', {}, 'working'],
    ['that is late with a file', 'daq_simulator', { facts: { last_stf_at: ago(100) } }, 'stuck'],
    [
      'of a DAQ at full speed, whose clock stands still while a slice is in hand',
      'daq_simulator',
      {
        facts: {
          params: { ...factsOf().params, speed: 'max' },
          last_stf_at: ago(100),
          in_hand: [{ slice_filename: 's', assigned_worker: 'w', since: ago(99), attempt: 1, isLost: false }],
        },
      },
      'working',
    ],
    [
      'of a DAQ at full speed that nothing holds up',
      'daq_simulator',
      { facts: { params: { ...factsOf().params, speed: 'max' }, last_stf_at: ago(100) } },
      'stuck',
    ],
    ['of a DAQ in standby', 'daq_simulator', { facts: { phase: 'standby', last_stf_at: ago(5) } }, 'paused'],
    ['of a DAQ that is done', 'daq_simulator', { facts: { phase: 'completed', last_stf_at: ago(100) } }, 'done'],
    [
      'whose only slice in hand is overdue',
      'worker',
      {
        counts: { slices_processing: 1 },
        facts: {
          delays: done(50),
          in_hand: [{ slice_filename: 's', assigned_worker: 'w', since: ago(40), attempt: 1, isLost: false }],
        },
      },
      'stuck',
    ],
  ])('follows from what waits for it, and since when: a stage %s', (_, stage, given, state) => {
    expect(stateOf(stage, given)).toBe(state);
  });

  it('is "stuck" for the DAQ if the standby lasts much longer than configured', () => {
    const facts = {
      phase: 'standby',
      phase_changed_at: ago(250),
      last_stf_at: ago(260),
      standbys: [{ start: Date.parse(ago(250)), end: undefined }],
    } as const;
    const daqOf = (standby_duration: number) =>
      stageStates(factsOf({ facts, params: { daq_state_machine: { standby_duration } } }))[0];
    expect(daqOf(300)).toMatchObject({ stage: 'daq_simulator', idle_seconds: 250, state: 'paused' });
    // It should have continued long ago.
    expect(daqOf(2)).toMatchObject({ idle_seconds: 250, state: 'stuck' });
  });
});
