import { describe, expect, it } from 'vitest';

import { recordEnd } from '../../../src/db/presence/agent-registry.ts';
import {
  becomeRecorder,
  brokerAwaySince,
  forgetRequestInHand,
  hasRecorded,
  isKnownNamespace,
  noteBrokerAway,
  noteKnownNamespace,
  noteRequestInHand,
  recorderOf,
  requestsInHand,
} from '../../../src/db/presence/recorders.ts';
import { makeStore } from '../../made-store.ts';
import { at, fakeClock, register, rowsOf } from './processes.ts';

/** A store with two processes; the test decides which of them live. */
async function twoProcesses() {
  const { store } = await makeStore();
  const [first, second] = [await register(store, 101), await register(store, 102)];
  const living = new Set([101, 102]);
  const isAlive = ({ pid }: { pid: number }): boolean => living.has(pid);
  const become = (process: number, namespace = 'test'): Promise<void> =>
    store.write((tx) => becomeRecorder(tx, namespace, process, isAlive));
  const recorder = (namespace = 'test') => recorderOf(store.sql, namespace, isAlive)?.pid;
  return { store, first, second, living, become, recorder };
}

describe('the recorder of a namespace', () => {
  it('is one live process, until it dies or ends', async () => {
    const { store, first, second, living, become, recorder } = await twoProcesses();
    expect([recorder(), hasRecorded(store.sql, 'test')]).toEqual([undefined, false]);
    await become(first);
    expect([recorder(), recorder('other')]).toEqual([101, undefined]);
    await expect(become(second)).rejects.toMatchObject({
      code: 'EXECUTION_IN_USE',
      message:
        'process 101 on host-a already records namespace test in this store; wait until it ends, or use another store or namespace',
    });
    await become(second, 'other');
    living.delete(101);
    expect(recorder()).toBeUndefined();
    await become(second);
    expect([recorder(), hasRecorded(store.sql, 'test'), hasRecorded(store.sql, 'third')]).toEqual([102, true, false]);
    living.add(101);
    await store.write((tx) => recordEnd(tx, second, 'order'));
    expect(recorder()).toBeUndefined();
    await become(first);
    expect(recorder()).toBe(101);
  });

  it('cannot start while a live observer listens to other programs in it', async () => {
    const { store, first, second, living, become } = await twoProcesses();
    await become(first);
    await store.write(({ sql }) =>
      sql(`INSERT INTO hearings (namespace, since_ms, until_ms, process_id) VALUES ('test', 1, 2, ?)`).run(first),
    );
    await expect(become(second)).rejects.toMatchObject({
      code: 'NAMESPACE_IN_USE',
      message:
        'process 101 on host-a is recording other programs in namespace test for this store; use another namespace',
    });
    living.delete(101);
    await become(second);
  });

  it('remembers when its broker went away, until the broker returns or the recorder changes', async () => {
    const { store, first, second, living, become } = await twoProcesses();
    const away = (since: string | undefined): Promise<void> => store.write((tx) => noteBrokerAway(tx, 'test', since));
    expect(brokerAwaySince(store.sql, 'test')).toBeUndefined();
    await become(first);
    await become(first, 'other');
    expect(brokerAwaySince(store.sql, 'test')).toBeUndefined();
    await away(at(1));
    expect([brokerAwaySince(store.sql, 'test'), brokerAwaySince(store.sql, 'other')]).toEqual([at(1), undefined]);
    await away(undefined);
    expect(brokerAwaySince(store.sql, 'test')).toBeUndefined();
    await away(at(2));
    living.delete(101);
    await become(second);
    expect(brokerAwaySince(store.sql, 'test')).toBeUndefined();
    await away(at(3));
    await store.write((tx) => recordEnd(tx, second, 'fault'));
    expect(brokerAwaySince(store.sql, 'test')).toBeUndefined();
  });
});

it('a known namespace is stored with its broker and the time when it was first recorded', async () => {
  const setClock = fakeClock();
  const { store } = await makeStore();
  const note = (namespace: string, broker: string): Promise<void> =>
    store.write((tx) => noteKnownNamespace(tx, namespace, broker));
  const known = (namespace: string, broker: string): boolean => isKnownNamespace(store.sql, namespace, broker);
  expect(known('test', 'a')).toBe(false);
  await note('test', 'a');
  setClock(9);
  await note('test', 'a');
  expect([known('test', 'a'), known('test', 'b'), known('other', 'a')]).toEqual([true, false, false]);
  expect(rowsOf(store, 'listened_at', 'known_namespaces')).toEqual([{ listened_at: at(0) }]);
});

describe('requests that may be delivered again', () => {
  it('are listed by namespace in the order received, until the broker confirms them', async () => {
    const setClock = fakeClock();
    const { store } = await makeStore();
    const note = (second: number, id: string, namespace = 'test'): Promise<void> => {
      setClock(second);
      return store.write((tx) => noteRequestInHand(tx, namespace, id));
    };
    const held = (namespace = 'test'): string[] => requestsInHand(store.sql, namespace);
    await note(1, 'z/1');
    await note(2, 'a/1');
    await note(3, 'a/1', 'other');
    expect([held(), held('other')]).toEqual([['z/1', 'a/1'], ['a/1']]);
    await store.write((tx) => forgetRequestInHand(tx, 'test', 'z/1'));
    await store.write((tx) => forgetRequestInHand(tx, 'test', 'unknown'));
    expect([held(), held('other')]).toEqual([['a/1'], ['a/1']]);
  });

  it('are forgotten after ten minutes, or when an identical request arrives', async () => {
    const setClock = fakeClock();
    const { store } = await makeStore();
    const note = (second: number, id: string): Promise<void> => {
      setClock(second);
      return store.write((tx) => noteRequestInHand(tx, 'test', id));
    };
    const held = (): string[] => requestsInHand(store.sql, 'test');
    await note(0, 'words/1');
    await note(1, 'more words/1');
    await note(2, 'words/2');
    expect(held()).toEqual(['more words/1', 'words/2']);
    await note(601, 'third/1');
    expect(held()).toEqual(['more words/1', 'words/2', 'third/1']);
    await note(601.001, 'fourth/1');
    expect(held()).toEqual(['words/2', 'third/1', 'fourth/1']);
    await note(602, 'fourth/1');
    expect(held()).toEqual(['words/2', 'third/1', 'fourth/1']);
  });
});
