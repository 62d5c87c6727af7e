import { describe, expect, it } from 'vitest';

import { newestPlace } from '../../src/db/execution/file-places.ts';
import { recordRemoteHeartbeat } from '../../src/db/presence/remote-agents.ts';
import { heartbeat } from './beats.ts';
import { driven, messageOf, sampleFields, saySlices, stf_filename, tf_filename, workFields } from './driven.ts';
import { agent, offDuty, resend, type Resent, timesOf } from './resending-setup.ts';
import { execution_id } from './setup.ts';

const filename = 'swf.100010.000002.stf';
const stf = { filename, sequence: 2, tf_count: 100, file_url: 'http://a:1/data/x/file.stf' };
const announcement = `${execution_id}/stf_gen/${filename}`;
const ready = `${execution_id}/stf_ready/${filename}`;

describe('an unanswered file', () => {
  it('is announced again at growing intervals, from one minute to thirty, if an agent is on duty', async () => {
    const made = await resend();
    await made.made.say('stf_gen', stf);
    made.heard.set('data-1', agent('data'));
    await made.wait(3800);
    expect(timesOf(made, announcement)).toEqual([75, 195, 435, 915, 1875, 3675]);
    expect(made.sent).toHaveLength(6);
    expect([made.warnings, made.faults, made.lost]).toEqual([[], [], []]);
  });

  it('is not announced again until three times the usual time for such files has passed', async () => {
    const made = await resend();
    const slow = { ...stf, filename: 'swf.100010.000003.stf', sequence: 3 };
    await made.made.say('stf_gen', slow);
    await made.wait(100);
    await made.made.say('stf_ready', slow);
    await made.made.say('stf_gen', stf);
    made.heard.set('data-1', agent('data'));
    await made.wait(200);
    // Half of the files took 100 seconds, the first one none: 50 on average.
    expect(timesOf(made, announcement)).toEqual([100 + 155]);
  });

  it('is announced again to fastmon agents if it is ready but has no samples', async () => {
    const made = await resend();
    await made.made.say('stf_gen', stf);
    await made.made.say('stf_ready', stf);
    made.heard.set('fastmon-1', agent('fastmon'));
    await made.wait(200);
    expect(made.sent).toEqual([
      [75, ready],
      [195, ready],
    ]);
    await made.made.say('tf_file_registered', {
      ...sampleFields('http://a:1/data/x/two.tf'),
      stf_filename: filename,
      tf_filename: 'swf.100010.000002_tf_001.tf',
    });
    await made.wait(400);
    expect(made.sent).toHaveLength(2);
  });

  it.each<[string, (made: Resent) => unknown]>([
    ['the agent has it in hand', ({ heard }) => heard.set('data-1', agent('data', { in_hand: [announcement] }))],
    ['no agent of the required type is heard', ({ heard }) => heard.set('data-1', agent('worker'))],
    ['no agent can reach its place', reachesNothing],
    ['its execution is not driven here', ({ resending }) => resending.remove(execution_id)],
  ])('is not announced again while %s', async (_, change) => {
    const made = await resend();
    await made.made.say('stf_gen', stf);
    made.heard.set('data-1', agent('data'));
    change(made);
    await made.wait(300);
    expect([made.sent, made.faults]).toEqual([[], []]);
  });

  it('waits anew when its execution is added again, but not when one with a similar id ends', async () => {
    const made = await resend();
    await made.made.say('stf_gen', stf);
    made.heard.set('data-1', agent('data'));
    await made.wait(80);
    expect(made.resending.remove(execution_id.slice(0, -1))).toBe(false);
    await made.wait(40);
    expect(timesOf(made, announcement)).toEqual([75]);
    made.resending.remove(execution_id);
    made.resending.add(execution_id, driven.params);
    await made.wait(20);
    expect(timesOf(made, announcement)).toEqual([75, 135]);
  });
});

function reachesNothing({ heard }: Resent): void {
  heard.set('data-1', agent('data', offDuty('NO_FILE', 'http://a:1/data')));
  heard.set('worker-1', agent('worker', { free_slots: 0 }));
}

describe('a sample that workers report as wrong', () => {
  it('is made again, since its ready STF file is announced again', async () => {
    const made = await resend();
    await saySlices(made.made, 1);
    await made.made.store.write((tx) => recordRemoteHeartbeat(tx, heartbeat('tester', 'fastmon')));
    await made.made.say('slice_returned', { ...workFields(0), reason: 'WRONG_FILE' });
    made.heard.set('fastmon-1', agent('fastmon'));
    await made.wait(20);
    expect(made.sent).toContainEqual([15, `${execution_id}/stf_ready/${stf_filename}`]);
  });

  it('has a new place once it is registered there, and this is reported once', async () => {
    const made = await resend();
    const at = (place: string, more: object = {}) =>
      made.resending.notePlace(messageOf('tf_file_registered', { ...sampleFields(place), sender: 'tester', ...more }));
    const place = (): string | undefined => newestPlace(made.made.store.sql, tf_filename);
    await at('http://a:1/data/x/file.tf');
    // Another file by its content, and a file that this store does not know.
    await at('http://b:1/data/x/file.tf', { tf_last: 15 });
    await at('http://b:1/data/x/file.tf', { tf_filename: 'unknown.tf' });
    // A path on its own host is not a place for others.
    await at('/srv/data/x/file.tf');
    expect([place(), made.warnings]).toEqual(['http://a:1/data/x/file.tf', []]);
    await at('http://b:1/data/x/file.tf');
    await at('http://b:1/data/x/file.tf');
    expect(place()).toBe('http://b:1/data/x/file.tf');
    expect(made.warnings).toEqual([`TF file ${tf_filename} was made again: it is now at http://b:1/data/x/file.tf`]);
    expect(made.faults).toEqual([]);
    made.made.store.db.exec('DROP TABLE moved_files');
    await at('http://c:1/data/x/file.tf');
    expect(made.faults).toHaveLength(1);
  });
});
