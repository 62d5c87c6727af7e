import { rmSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { onTestFinished } from 'vitest';

import type { Circumstances, Recorded } from '../src/db/log/rows.ts';
import { openStore } from '../src/db/opening/open-store.ts';
import type { Store } from '../src/db/opening/store.ts';
import type { Message } from '../src/messages/message.ts';
import type { MessageType } from '../src/messages/vocabulary.ts';
import { temporaryFolder } from './folder.ts';
import { type Receive, receiverOf } from './receive.ts';

// Stores for tests of rules: this loads no server, so that such tests start at once.

export interface TestStore {
  path: string;
  store: Store;
  receive: Receive;
  /** Records a message of a type with these fields, in the envelope of the first execution. */
  say: <T extends MessageType>(
    type: T,
    fields: Partial<Message<T>>,
    circumstances?: Circumstances,
  ) => Promise<Recorded>;
}

/** A fresh store, filled by recording messages: tests follow the road that production follows. */
export async function makeStore(): Promise<TestStore> {
  const made = await makeStoreForAll();
  onTestFinished(() => {
    made.store.close();
    // Mutants make thousands of stores.
    rmSync(dirname(made.path), { recursive: true, force: true });
  });
  return made;
}

/** The same for several tests, which have to close it. */
export async function makeStoreForAll(): Promise<TestStore> {
  const path = join(temporaryFolder(), 'swf.db');
  const store = await openStore(path);
  const envelope = {
    sender: 'tester',
    namespace: 'test',
    execution_id: 'stf_datataking-tester-0001',
    run_id: '100010',
  };
  const say: TestStore['say'] = (type, fields, circumstances) =>
    store.write((tx) => {
      const own = type === 'run_workflow' ? { sender: 'tester', namespace: 'test', plan_version: 1 } : envelope;
      const message = { ...own, timestamp: new Date().toISOString(), msg_type: type, ...fields } as Message;
      return store.messages.record(tx, message, circumstances);
    });
  return { path, store, receive: receiverOf(store), say };
}

/** The counts in the end of an execution of no files. */
export const noCounts = {
  stf_count: 0,
  tf_files_received: 0,
  slices_created: 0,
  slices_queued: 0,
  slices_processing: 0,
  slices_completed: 0,
  slices_failed: 0,
};

/** Records that the nth execution has begun. */
export const sayBegun = (made: TestStore, n: number) =>
  made.say('run_workflow', {
    command_id: `c${n}`,
    workflow_name: 'stf_datataking',
    params: {},
    executed_by: 'tester',
    speed: 1,
  });

/** Records further executions of no slices that have begun and ended, one after the other. */
export async function sayShortExecutions(made: TestStore, count: number): Promise<void> {
  for (let n = 2; n < count + 2; n += 1) {
    const of = { execution_id: `stf_datataking-tester-${String(n).padStart(4, '0')}`, run_id: String(100_009 + n) };
    await sayBegun(made, n);
    await made.say('workflow_ended', { ...of, ...noCounts, status: 'completed', reason: 'completed' });
  }
}

/** A store with one execution whose run is in physics. */
export async function makeRunningStore(params: Record<string, unknown> = {}): Promise<TestStore> {
  const made = await makeStore();
  await beginPhysics(made, params);
  return made;
}

/** Records the first execution, up to its physics. */
export async function beginPhysics(made: TestStore, params: Record<string, unknown> = {}): Promise<void> {
  await made.say('run_workflow', {
    command_id: 'c1',
    workflow_name: 'stf_datataking',
    params,
    executed_by: 'tester',
    speed: 1,
  });
  await made.say('run_imminent', {});
  await made.say('start_run', { state: 'physics' });
}
