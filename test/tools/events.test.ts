import { expect, it } from 'vitest';

import type { Landmark } from '../../src/db/reports/landmarks.ts';
import { asEvent } from '../../src/tools/monitor/events.ts';

const landmark = (message_type: string, body: object): Landmark => ({
  key: 1,
  message_id: `1/${message_type}`,
  message_type,
  sender_agent: 'daq_simulator-agent-ana-1',
  namespace: 'test',
  sent_at: '2026-09-01T08:00:00.000Z',
  recorded_at: '2026-09-01T08:00:00.000Z',
  happened_at: '2026-09-01T08:00:00.000Z',
  execution_id: 'stf_datataking-ana-0001',
  run_id: '100010',
  destination: '/topic/epictopic',
  effect: 'applied',
  effect_code: null,
  effect_reason: null,
  body: JSON.stringify(body),
});

it.each([
  ['end_run', { total_stf_files: 3, reason: 'stopped' }, '3 STF files, stopped'],
  ['end_run', { total_stf_files: 20 }, '20 STF files'],
  ['end_run', { total_stf_files: 3, reason: '' }, '3 STF files'],
  ['end_run', {}, undefined],
  ['workflow_ended', { status: 'failed', reason: '2 slices failed for good' }, 'failed: 2 slices failed for good'],
  ['execution_status', { status: 'terminated', end_time: null }, 'terminated'],
  ['start_run', { state: 'run', substate: 'physics' }, undefined],
])('an event of type %s with body %j has the note %j', (type, body, note) => {
  expect(asEvent(landmark(type, body)).note).toBe(note);
});
