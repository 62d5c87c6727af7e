import { describe, expect, it } from 'vitest';

import { decodeMessage } from '../../src/messages/codec.ts';
import { messageIdOf, wireHash } from '../../src/messages/identity.ts';
import type { Message } from '../../src/messages/message.ts';
import { destinationOf, messageTypes } from '../../src/messages/vocabulary.ts';

const envelope = { sender: 's', namespace: 'n', execution_id: 'e-u-0001', run_id: '101993' };
const slice = {
  slice_id: 0,
  slice_filename: 'swf.101993.000001_slice_000.tf',
  tf_filename: 'swf.101993.000001_tf_001.tf',
  attempt: 2,
};

function decoded(body: unknown): Message {
  const result = decodeMessage(JSON.stringify(body));
  if (result.kind !== 'message') throw new Error(`not a message: ${JSON.stringify(result)}`);
  return result.message;
}

describe('message ids', () => {
  it.each([
    [{ msg_type: 'run_imminent' }, 'e-u-0001/run_imminent'],
    [{ msg_type: 'start_run' }, 'e-u-0001/start_run'],
    [{ msg_type: 'end_run', total_stf_files: 3 }, 'e-u-0001/end_run'],
    [
      { msg_type: 'stf_gen', filename: 'swf.101993.000001.stf', sequence: 1, tf_count: 10 },
      'e-u-0001/stf_gen/swf.101993.000001.stf',
    ],
    [
      { msg_type: 'stf_ready', filename: 'swf.101993.000001.stf', sequence: 1, tf_count: 10 },
      'e-u-0001/stf_ready/swf.101993.000001.stf',
    ],
    [{ msg_type: 'pause_run', ordinal: 3, reason: 'period' }, 'e-u-0001/pause_run/3'],
    [
      {
        msg_type: 'tf_file_registered',
        tf_filename: 'a.tf',
        stf_filename: 'a.stf',
        tf_first: 0,
        tf_last: 1,
        tf_count: 2,
      },
      'e-u-0001/tf_file_registered/a.tf',
    ],
    [
      { msg_type: 'slice', ...slice, stf_filename: 'a.stf', start: 0, end: 1, tf_count: 2 },
      'e-u-0001/slice/swf.101993.000001_slice_000.tf/2',
    ],
    [
      { msg_type: 'slice_started', ...slice, worker_id: 'w/07', hostname: 'h' },
      'e-u-0001/slice_started/swf.101993.000001_slice_000.tf/2/w/07@h',
    ],
    [
      { msg_type: 'slice_result', ...slice, worker_id: 'w/07', hostname: 'h', state: 'done' },
      'e-u-0001/slice_result/swf.101993.000001_slice_000.tf/2/w/07@h',
    ],
    [
      { msg_type: 'slice_returned', ...slice, worker_id: 'w/07', hostname: 'h', reason: 'NO_FILE' },
      'e-u-0001/slice_returned/swf.101993.000001_slice_000.tf/2/w/07@h/NO_FILE',
    ],
    [
      { msg_type: 'driver_started', epoch: 4, pid: 7, user: 'u', version: '1', speed: 1, hostname: 'h' },
      'e-u-0001/driver_started/4',
    ],
    [{ msg_type: 'stop_workflow', command_id: 'c' }, 'e-u-0001/stop_workflow/c'],
    [
      { msg_type: 'run_workflow', command_id: 'c', workflow_name: 'w', params: {}, executed_by: 'u', speed: 'max' },
      'run_workflow/c',
    ],
  ])('follow from the content: %j has %s', (body, id) => {
    expect(messageIdOf(decoded({ ...envelope, ...body }))).toBe(id);
  });

  it('of unreadable messages are hashes of destination and body', () => {
    expect(wireHash('/topic/a', '{}')).toMatch(/^[0-9a-f]{64}$/);
    expect(wireHash('/topic/a', '{}')).not.toBe(wireHash('/topic/b', '{}'));
  });
});

describe('reading a message', () => {
  it('keeps unknown fields', () => {
    expect(decoded({ ...envelope, msg_type: 'start_run', colour: 'blue' })).toMatchObject({ colour: 'blue' });
  });

  it('finds one of the four destinations for each type', () => {
    expect(new Set(messageTypes.map(destinationOf))).toEqual(
      new Set([
        '/topic/epictopic',
        '/queue/panda.transformer.slices',
        '/queue/panda.results.fastprocessing',
        '/queue/workflow_control',
      ]),
    );
  });

  it.each([
    ['{"msg_type":', /^not JSON/],
    ['[1]', /^not a JSON object/],
    ['null', /^not a JSON object/],
    ['{}', /^has no msg_type/],
    ['{"msg_type":7}', /^has no msg_type/],
    [JSON.stringify({ ...envelope, msg_type: 'stf_gen', sequence: 1, tf_count: 1 }), /filename/],
    [
      JSON.stringify({ ...envelope, msg_type: 'stf_gen', filename: '../../etc/passwd', sequence: 1, tf_count: 1 }),
      /filename/,
    ],
    [JSON.stringify({ ...envelope, msg_type: 'stf_gen', filename: '..', sequence: 1, tf_count: 1 }), /filename/],
    [JSON.stringify({ ...envelope, msg_type: 'stf_gen', filename: 'a.stf', sequence: '1', tf_count: 1 }), /sequence/],
    [JSON.stringify({ ...envelope, msg_type: 'end_run', total_stf_files: -1 }), /total_stf_files/],
  ])('rejects %s and says why', (body, reason) => {
    expect(decodeMessage(body)).toMatchObject({ kind: 'rejected', reason: expect.stringMatching(reason) });
  });

  it('recognizes an unknown type, even one named like a member of Object', () => {
    for (const msg_type of ['heartbeat', 'constructor', 'toString', '__proto__']) {
      expect(decodeMessage(JSON.stringify({ msg_type }))).toMatchObject({ kind: 'unknown', msg_type });
    }
  });
});
