import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { expect, it, onTestFinished, vi } from 'vitest';

import { beginHearing, keepHearing } from '../../src/db/observed/hearings.ts';
import { openStore } from '../../src/db/opening/open-store.ts';
import { recordEnd } from '../../src/db/presence/agent-registry.ts';
import { registerProcess } from '../../src/db/presence/leases.ts';
import { currentProcess } from '../../src/lib/process-identity.ts';
import { readIntoStore } from '../../src/observer/read-into-store.ts';
import { ask, connectInProcess, temporaryFolder } from '../helpers.ts';
import { isReport, type Line, linesOf } from '../observed/prompt-runs.ts';

const all = [...linesOf('PP-1', 'bus'), ...linesOf('PP-1', 'rest')].toSorted((a, b) => (a.t < b.t ? -1 : 1));

/** A store whose observer lives and has heard the first lines by the time of the last of them, and a client of it. */
async function observedSoFar(lines: readonly Line[]) {
  const now = Date.parse(lines.at(-1)?.t ?? '') + 1000;
  vi.useFakeTimers({ toFake: ['Date'], now });
  onTestFinished(() => void vi.useRealTimers());
  const folder = temporaryFolder();
  const store = await openStore(join(folder, 'swf.db'));
  onTestFinished(() => store.close());
  const observer = await store.write((tx) => {
    const id = registerProcess(tx, currentProcess(), '0');
    const since = Date.parse(all[0]?.t ?? '') - 1000;
    beginHearing(tx, { namespaces: [], process_id: id, now: since }, () => true);
    keepHearing(tx, id, { since, until: now }, now);
    return id;
  });
  const end = () => store.write((tx) => recordEnd(tx, observer, 'order'));
  const hear = async (more: readonly Line[]) => {
    const file = join(folder, 'more.jsonl');
    writeFileSync(file, more.map((line) => `${JSON.stringify(line)}\n`).join(''));
    await readIntoStore([file], { store, namespaces: [], until: undefined, onTorn: () => {} });
  };
  await hear(lines);
  return { client: await connectInProcess(join(folder, 'swf.db')), hear, end };
}

it('wait_for_execution returns when a site reports a new state for a file', async () => {
  const from = all.findIndex(isReport);
  const { client, hear } = await observedSoFar(all.slice(0, from));
  const waiting = ask(client, 'wait_for_execution', { execution_id: 'latest', timeout_seconds: 20 });
  await hear(all.slice(0, from + 1));
  const { changed, status, sites, counts } = await waiting;
  expect({ changed, status }).toEqual({ changed: ['sites'], status: 'running' });
  expect(sites).toMatchObject([{ registered: counts.stf_count, processing: 1 }]);
});

it('wait_for_execution keeps waiting while files of a run wait for PanDA, even after data taking has ended', async () => {
  const until = all.findLastIndex(isReport);
  const { client, hear } = await observedSoFar(all.slice(0, until));
  const waiting = ask(client, 'wait_for_execution', { execution_id: 'latest', until: 'end', timeout_seconds: 20 });
  await hear(all);
  expect(await waiting).toMatchObject({ health: 'finished', next: expect.stringMatching(/^it has ended/) as string });
});

it('wait_for_execution says that the health is unknown if its clock is behind the recorded times', async () => {
  const { client } = await observedSoFar(all.slice(0, all.findIndex(isReport)));
  vi.setSystemTime(Date.now() - 3_600_000);
  const { next } = await ask(client, 'wait_for_execution', { execution_id: 'latest', timeout_seconds: 1 });
  expect(next).toMatch(/^its health is unknown: get_workflow_monitor reports why; then call wait_for_execution again/);
});

it('wait_for_execution says that the health of an ended run is unknown if PanDA is no longer observed', async () => {
  const { client, end } = await observedSoFar(all.slice(0, all.findLastIndex(isReport)));
  await end();
  const answer = await ask(client, 'wait_for_execution', { execution_id: 'latest', timeout_seconds: 1 });
  expect(answer).toMatchObject({ next: 'its health is unknown: get_workflow_monitor reports why' });
});
