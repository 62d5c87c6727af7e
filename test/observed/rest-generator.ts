import { createHash } from 'node:crypto';

import type { MessageLine, RestLine } from '../../src/observed/recording-lines.ts';
import { dice, type MadeRun } from './generator.ts';

type Body = Record<string, unknown> & { content?: Record<string, unknown> };

/** REST calls of a generated run, and the truth about them. */
interface MadeCalls {
  calls: RestLine[];
  truth: {
    slices_told: number;
    /** Slices that were registered, and never sent. */
    slices_unsent: number;
    status: 'running' | 'completed' | 'failed';
  };
}

/** The calls that programs of the testbed make to their monitor in a run: each slightly before or after its message. */
export function makeCalls({ lines, truth }: MadeRun, seed: number): MadeCalls {
  const roll = dice(seed + 5000);
  const calls: RestLine[] = [];
  const first = Date.parse((lines[0] as MessageLine).t);
  const status = truth.hasEnded ? (roll() < 0.2 ? 'failed' : 'completed') : 'running';
  const told: MadeCalls['truth'] = { slices_told: 0, slices_unsent: 0, status };
  let numbers = 0;
  const call = (
    at: number,
    method: string,
    path: string,
    said: { body: object; answer?: object; status?: number },
  ): void => {
    const { body, answer = {}, status: code = method === 'POST' ? 201 : 200 } = said;
    calls.push({
      t: new Date(at).toISOString(),
      method,
      path: `/api/${path}/`,
      query: {},
      auth: 'Token',
      body,
      status: code,
      answer,
    });
  };
  const stamp = (at: number): string =>
    `${new Date(at).toISOString().slice(0, -1)}${String((numbers += 1) % 1000).padStart(3, '0')}`;
  const run = 1 + (seed % 7);
  const registered = new Set<string>();
  call(first - 40, 'POST', 'workflow-executions', {
    body: {
      execution_id: truth.told_id,
      workflow_definition: 1,
      namespace: 'epic',
      status: 'running',
      executed_by: 'user',
      start_time: stamp(first - 45),
      parameter_values: { workflow: { name: 'stf_datataking' }, fast_processing: { stf_count: truth.stf_count } },
    },
  });
  call(first - 30, 'POST', 'run-states', {
    body: { run_number: truth.run_id, phase: 'initializing', metadata: { execution_id: truth.told_id } },
  });
  const slice = (at: number, content: Record<string, unknown>): void => {
    const name = `${String(content['tf_filename'])}/${String(content['slice_id'])}`;
    if (registered.has(name)) return;
    registered.add(name);
    told.slices_told += 1;
    numbers += 1;
    call(at, 'POST', 'tf-slices', {
      body: {
        slice_id: content['slice_id'],
        tf_first: content['start'],
        tf_last: content['end'],
        tf_count: content['tf_count'],
        tf_filename: content['tf_filename'],
        stf_filename: content['filename'],
        run_number: truth.run_id,
        status: 'queued',
        metadata: { execution_id: content['execution_id'], created_by: `fpa-${seed}` },
        ...('tf_file_id' in content ? { fastmon_file: content['tf_filename'] } : {}),
      },
      answer: { id: numbers },
    });
  };
  for (const line of lines) {
    const [at, body] = [Date.parse(line.t), (line as { body: Body }).body];
    const { msg_type, content = {} } = body;
    if (msg_type === 'run_imminent')
      call(at + 3, 'POST', 'runs', { body: { run_number: Number(truth.run_id) }, answer: { run_id: run } });
    if (msg_type === 'stf_gen')
      call(at + 4, 'POST', 'stf-files', {
        body: { run, stf_filename: body['filename'], status: 'registered', metadata: { sequence: body['sequence'] } },
        answer: { file_id: uuidOf(body['filename']) },
      });
    if (msg_type === 'stf_ready')
      call(at + 9, 'PATCH', `stf-files/${uuidOf(body['filename'])}`, {
        body: { status: 'processed', metadata: { updated_at: stamp(at) } },
      });
    if (msg_type === 'tf_file_registered')
      call(at - 1, 'POST', 'fastmon-files', {
        body: {
          stf_file: body['stf_filename'],
          tf_filename: body['tf_filename'],
          tf_first: body['tf_first'],
          tf_last: body['tf_last'],
          tf_count: body['tf_count'],
          metadata: { agent_name: `fastmon-${seed}` },
        },
        answer: { tf_file_id: uuidOf(body['tf_filename']) },
      });
    if (msg_type === 'slice') {
      slice(at - 1, content);
      // Some are registered, but their sender cannot send them.
      if (roll() < 0.05) {
        slice(at, { ...content, slice_id: 900 + numbers, tf_filename: unsentName(content, 900 + numbers) });
        told.slices_unsent += 1;
      }
    }
    if (msg_type === 'slice_result')
      call(at + 30, 'POST', 'system-state-events', {
        body: {
          timestamp: stamp(at),
          run_number: truth.run_id,
          event_type: 'slice_result',
          event_data: { message: body, state: content['state'] },
        },
        answer: { event_id: (numbers += 1) },
      });
  }
  const last = Date.parse((lines.at(-1) as MessageLine).t);
  if (status !== 'running')
    call(last + 50, 'PATCH', `workflow-executions/${truth.told_id}`, { body: { status, end_time: stamp(last) } });
  return { calls: calls.toSorted((a, b) => (a.t < b.t ? -1 : a.t > b.t ? 1 : 0)), truth: told };
}

/** In the public programs each slice has its own file name. */
const unsentName = (content: Record<string, unknown>, id: number): unknown =>
  String(content['tf_filename']).replace(/_slice_\d+\.tf$/, `_slice_${id}.tf`);

/** An id as the monitor assigns it: the same for the same file. */
const uuidOf = (name: unknown): string =>
  createHash('sha256')
    .update(String(name))
    .digest('hex')
    .slice(0, 32)
    .replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
