import { describe, expect, it } from 'vitest';

import { programTypeOf } from '../../src/messages/foreign.ts';
import { createNamespaceFilter } from '../../src/observed/namespace-filter.ts';
import { createHeard } from '../../src/observed/reading/heard.ts';
import { type MessageLine, messageLine } from '../../src/observed/recording-lines.ts';
import { readRecording } from '../observer/recordings.ts';

const t = '2026-11-27T09:12:29.174Z';
const line = (body: unknown, headers: Record<string, string> = {}, destination = '/topic/a'): MessageLine => ({
  t,
  destination,
  headers,
  body,
});

describe('the line of a message', () => {
  it('has its headers and its body without secrets', () => {
    const bytes = Buffer.from('{"msg_type": "x", "api_token": "abc"}');
    const headers = { authorization: 'Token abc', uri: 'ejfats://abc@host/', vo: 'eic' };
    expect(messageLine({ destination: '/topic/a', headers, bytes }, t)).toEqual({
      t,
      destination: '/topic/a',
      headers: { authorization: '***', uri: 'ejfats://***@host/', vo: 'eic' },
      body: { msg_type: 'x', api_token: '***' },
    });
  });

  it('has a size and a digest in place of a body that is too large', () => {
    const large = { size: 5_000_000, sha256: 'ab' };
    expect(messageLine({ destination: '/topic/a', headers: {}, bytes: Buffer.from('begin'), large }, t)).toEqual({
      t,
      destination: '/topic/a',
      headers: {},
      ...large,
    });
  });
});

describe('a program that is heard', () => {
  it.each([
    ['run_imminent', 'runner'],
    ['start_run', 'runner'],
    ['pause_run', 'runner'],
    ['resume_run', 'runner'],
    ['end_run', 'runner'],
    ['stf_gen', 'runner'],
    ['stf_ready', 'data agent'],
    ['tf_file_registered', 'fastmon agent'],
    ['run_imminent_worker', 'fast processing agent'],
    ['slice', 'fast processing agent'],
    ['slice_result', 'transformer'],
    ['transformer_ready', 'transformer'],
    ['heartbeat', 'transformer'],
    ['create_workflow_task', 'PanDA workers'],
    ['adjust_worker', 'PanDA workers'],
    ['close_workflow_task', 'PanDA workers'],
    ['stop_transformer', 'PanDA workers'],
    ['stf_processed', 'PanDA workers'],
    ['created_workflow_task', 'iDDS'],
    ['snakemake_complete', 'snakemake agent'],
    ['announcement', 'person'],
    ['toString', undefined],
    ['other', undefined],
  ])('sending %s has the type: %s', (type, program) => {
    expect(programTypeOf(type, '/topic/panda.results')).toBe(program);
  });

  it('sending end_run to the workers is a fast processing agent', () => {
    expect(programTypeOf('end_run', '/topic/panda.workers')).toBe('fast processing agent');
    expect(programTypeOf('run_imminent', '/topic/panda.workers')).toBe('runner');
  });

  it('has the name, type, namespace and dialect that its messages show', () => {
    const heard = createHeard(['/topic/a', '/topic/b']);
    heard.add(line({ msg_type: 'stf_gen', sender: 'daq', namespace: 'n', run_id: '7' }));
    heard.add(line({ msg_type: 'stf_gen', sender: 'daq', namespace: 'n', run_id: '7' }));
    heard.add(line({ msg_type: 'slice_result', run_id: '7' }, { 'client-id': 'w' }));
    heard.add(line({ msg_type: 'stf_ready', sender: 'data', filename: 'x' }));
    heard.add(line({ agent_name: 'old', status: 'OK' }));
    heard.add(line({ x: 1 }));
    heard.add({ t, destination: '/topic/c', headers: {}, text: 'broken' });
    expect(heard.programs()).toEqual([
      { name: 'daq', type: 'runner', namespace: 'n', messages: 2 },
      { name: 'w', type: 'transformer', namespace: 'n', messages: 1 },
      { name: 'data', type: 'data agent', dialect: 'H', messages: 1 },
      { name: 'old', messages: 1 },
    ]);
    expect(heard.topics()).toEqual([
      {
        topic: '/topic/a',
        messages: 6,
        types: { stf_gen: 2, slice_result: 1, stf_ready: 1, heartbeat: 1, untyped: 1 },
      },
      { topic: '/topic/b', messages: 0, types: {} },
    ]);
  });

  it('is listed only if it is among the first thousand; further message types are counted together', () => {
    const heard = createHeard(['/topic/a']);
    for (let n = 0; n < 1100; n += 1) heard.add(line({ msg_type: `t${n}`, sender: `s${n}` }));
    heard.add(line({ msg_type: 't0', sender: 's0' }));
    expect(heard.programs()).toHaveLength(1000);
    expect(heard.programs()[0]).toMatchObject({ name: 's0', messages: 2 });
    expect(heard.topics()[0]?.types).toMatchObject({ t0: 2, t999: 1, other: 100 });
    expect(heard.topics()[0]?.types).not.toHaveProperty('t1000');
  });

  it('in a recorded run has one of five types, and the namespace of the run', async () => {
    const heard = createHeard([]);
    for (const one of await readRecording('H-1')) heard.add(one);
    const kinds = heard.programs().map(({ type }) => type);
    expect(new Set(kinds)).toEqual(
      new Set(['runner', 'data agent', 'fastmon agent', 'fast processing agent', 'transformer']),
    );
    expect(heard.programs().every(({ namespace }) => namespace === 'epic-shift')).toBe(true);
  });
});

describe('the namespace of a message', () => {
  const filter = () => createNamespaceFilter(['mine']);

  it.each([
    ['its body', { namespace: 'mine' }, {}, 'mine'],
    ['its body rather than its header', { namespace: 'mine' }, { namespace: 'other' }, 'mine'],
    ['its header', { namespace: null }, { namespace: 'mine' }, 'mine'],
    [
      'nothing if the body says "none" and the header "unknown"',
      { namespace: 'none' },
      { namespace: 'unknown' },
      undefined,
    ],
    ['nothing if the body is a list', [{ namespace: 'mine' }], {}, undefined],
    ['nothing if the body is null', null, {}, undefined],
  ])('is taken from %s', (_, body, headers, namespace) => {
    expect(filter().namespaceOf(line(body, headers))).toBe(namespace);
  });

  it('is that of its run, whether the run is a string or a number, in the body or a header', () => {
    const known = filter();
    known.namespaceOf(line({ namespace: 'mine', run_id: '12' }));
    expect(known.namespaceOf(line({ run_id: 12 }))).toBe('mine');
    expect(known.namespaceOf(line({}, { run_id: '12' }))).toBe('mine');
    expect(known.namespaceOf(line({ run_id: '13' }))).toBeUndefined();
    expect(known.namespaceOf(line({}))).toBeUndefined();
  });

  it('is unknown for a run in two namespaces, so the results of that run are kept', () => {
    const known = filter();
    known.namespaceOf(line({ namespace: 'mine', run_id: '7' }));
    known.namespaceOf(line({ namespace: 'theirs', run_id: '7' }));
    expect(known.namespaceOf(line({ run_id: '7' }))).toBeUndefined();
    expect(known.isMeant(line({ run_id: '7' }))).toBe(true);
    known.namespaceOf(line({ namespace: 'mine', run_id: 'x'.repeat(101) }));
    expect(known.namespaceOf(line({ run_id: 'x'.repeat(101) }))).toBeUndefined();
  });

  it('is remembered for the last 10,000 runs', () => {
    const known = filter();
    for (let run = 0; run <= 10_000; run += 1) known.namespaceOf(line({ namespace: 'mine', run_id: String(run) }));
    expect(known.namespaceOf(line({ run_id: '0' }))).toBeUndefined();
    expect(known.namespaceOf(line({ run_id: '1' }))).toBe('mine');
    expect(known.namespaceOf(line({ run_id: '10000' }))).toBe('mine');
  });

  it('decides whether the message is kept; a message without a namespace is kept', () => {
    expect(filter().isMeant(line({ namespace: 'other' }))).toBe(false);
    expect(filter().isMeant(line({ namespace: 'mine' }))).toBe(true);
    expect(filter().isMeant(line({}))).toBe(true);
    expect(createNamespaceFilter([]).isMeant(line({ namespace: 'other' }))).toBe(true);
  });
});
