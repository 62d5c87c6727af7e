import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { requestedSections, requireBareName } from '../../src/config/layers.ts';
import { asRecorded } from '../../src/config/load.ts';
import {
  requireConsistent,
  requireEveryAgent,
  requireOwnNamespace,
  requireRealTime,
  requireRecorderAgents,
} from '../../src/config/policies.ts';
import { configSchema } from '../../src/config/schema.ts';
import { temporaryFolder } from '../folder.ts';

const configOf = (more: object = {}) => configSchema.parse({ testbed: { namespace: 'mine' }, ...more });

/** The error of a check, or nothing. */
function errorOf(check: () => void): string | undefined {
  try {
    check();
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

describe('the rules of a whole configuration', () => {
  it.each([
    ['0 STFs with an interval', { fast_processing: { stf_count: 0 } }, undefined],
    ['10 STFs without an interval', { daq_state_machine: { stf_interval: 0, stf_generation_time: 0 } }, undefined],
    [
      '0 STFs with a generation time',
      { fast_processing: { stf_count: 0 }, daq_state_machine: { stf_interval: 0, stf_generation_time: 1 } },
      undefined,
    ],
    [
      '0 STFs without an interval',
      { fast_processing: { stf_count: 0 }, daq_state_machine: { stf_interval: 0, stf_generation_time: 0 } },
      'fast_processing.stf_count = 0 makes as many STFs as fit in a period, which never ends when stf_interval and stf_generation_time are 0; set one of them',
    ],
    ['a payload with files', { worker: { payload: ['true'] } }, undefined],
    ['neither files nor a payload', { data: { write_files: false } }, undefined],
    [
      'a payload without files',
      { worker: { payload: ['true'] }, data: { write_files: false } },
      'from worker.payload: worker.payload needs files, but data.write_files = false; change one of the two',
    ],
  ])('accept or refuse %s', (_, more, error) => {
    expect(errorOf(() => requireConsistent(configOf(more), (key) => `from ${key}`))).toBe(error);
  });

  it('require a namespace that belongs to the user if there is a broker', () => {
    const config = configOf();
    expect(errorOf(() => requireOwnNamespace({ config, isOwnNamespace: true }))).toBeUndefined();
    expect(errorOf(() => requireOwnNamespace({ config, isOwnNamespace: false }))).toBe(
      'testbed.namespace = "mine" is the shipped one; over a broker, set your own with --set testbed.namespace=NAME, or use your own file',
    );
  });

  it('require every agent in a run without a broker, and fast processing in every recorder', () => {
    const without = (type: string) => configOf({ agents: { [type]: { enabled: false } } });
    expect(errorOf(() => requireEveryAgent(configOf()))).toBeUndefined();
    expect(errorOf(() => requireEveryAgent(without('fastmon')))).toBe(
      'agents.fastmon.enabled = false: without a broker nothing else does the work of the fastmon agent; enable it',
    );
    expect(errorOf(() => requireRecorderAgents(without('fastmon')))).toBeUndefined();
    expect(errorOf(() => requireRecorderAgents(without('fast_processing')))).toBe(
      'agents.fast_processing.enabled = false: fast_processing always runs in the process of the run or the recorder; enable it',
    );
  });

  it('require the speed to be a number if there is a broker', () => {
    expect(errorOf(() => requireRealTime(20))).toBeUndefined();
    expect(errorOf(() => requireRealTime('max'))).toBe(
      'speed max needs every agent in one process; over a broker, give a number, such as --speed 20',
    );
  });
});

describe('a recorded configuration', () => {
  const broker = {
    servers: [
      { host: 'a', port: 1, tls: false },
      { host: 'b', port: 2, tls: true },
    ],
  } as never;

  it('has the absolute path of its data folder', () => {
    const dirOf = (dir: string | undefined) =>
      asRecorded(configOf({ data: { dir } }), '/s/swf.db', '/w', undefined).data.dir;
    expect(dirOf(undefined)).toBe('/s/swf.db.data');
    expect(dirOf('here')).toBe('/w/here');
    expect(dirOf('/there')).toBe('/there');
  });

  it('has the address of its broker, but no login and no alarm settings', () => {
    const config = configOf({ broker: { url: 'stomp://x', user: 'u', password: 'p', heartbeat_seconds: 7 } });
    const recorded = asRecorded(config, '/s', '/w', broker);
    expect(recorded.broker).toMatchObject({ url: 'stomp://a:1,stomp+ssl://b:2', heartbeat_seconds: 7 });
    expect(Object.keys(recorded.broker)).not.toEqual(expect.arrayContaining(['user']));
    expect(JSON.stringify(recorded)).not.toContain('"p"');
    expect(recorded).not.toHaveProperty('watch');
    expect(asRecorded(config, '/s', '/w', undefined).broker).not.toHaveProperty('url');
  });
});

describe('a request', () => {
  it('may name keys with or without their section', () => {
    expect(requestedSections({})).toEqual({});
    expect(
      requestedSections({ stf_count: 3, fast_processing: { slices_per_sample: 2 }, tf_fraction: 0.5, stf_interval: 1 }),
    ).toEqual({
      fast_processing: { stf_count: 3, slices_per_sample: 2 },
      fastmon: { tf_fraction: 0.5 },
      daq_state_machine: { stf_interval: 1 },
    });
  });

  it.each(['worker', 'stf_coun', 'fastmon'])('is refused if it sets %s, and the error names the nearest key', (key) => {
    expect(errorOf(() => void requestedSections({ [key]: 3 }))).toMatch(
      new RegExp(`^the request sets ${key}, which is not allowed; the nearest allowed key is [a-z_]+$`),
    );
  });

  it('may give a configuration only by its bare name', () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'trap'), '');
    expect(requireBareName(undefined, folder)).toBeUndefined();
    expect(requireBareName('histogram', folder)).toBe('histogram');
    expect(errorOf(() => void requireBareName('../etc', folder))).toBe(
      'the request names the configuration "../etc"; only the bare name of a configuration is allowed, such as fast_processing_default',
    );
    expect(errorOf(() => void requireBareName('trap', folder))).toBe(
      'the request names the configuration "trap"; a file of that name in the working folder would be used instead: rename it',
    );
  });
});
