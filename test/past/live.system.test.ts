import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';

import { expect, it } from 'vitest';

import { createStillReader } from '../../src/commands/shared/store-reader.ts';
import { openReader } from '../../src/db/opening/open-reader.ts';
import { createPasts } from '../../src/db/past-queries.ts';
import { createQueries } from '../../src/db/queries.ts';
import { pause } from '../../src/lib/deadline.ts';
import { isAlive } from '../../src/lib/process-identity.ts';
import { temporaryFolder } from '../folder.ts';
import { type Answer, ask, connectInProcess, runCli, runWorkflow, startCli } from '../helpers.ts';
import { answerTo, contextOf, noPast, type Question, questionsAbout, settled } from './questions.ts';

/** The margin between a time and the commit that records it. Milliseconds. */
const brink = 15;

/**
 * A payload that fails in the first attempts at some slices, never twice in a row in one worker: a worker that rests
 * changes more often than once a minute, and only the last state of a minute is kept.
 */
function flakyPayload(folder: string): string {
  const path = join(folder, 'flaky.sh');
  const lines = [
    '#!/bin/sh',
    'failed="$(dirname "$0")/failed-${SWF_WORKER_ID##*/}"',
    'rm "$failed" 2>/dev/null && exit 0',
    '[ "$SWF_ATTEMPT$((SWF_SLICE_ID % 9))" != 14 ] || { touch "$failed"; echo "no luck" >&2; exit 3; }',
  ];
  writeFileSync(path, `${lines.join('\n')}\n`);
  chmodSync(path, 0o755);
  return path;
}

it('an answer as of a moment equals the answer given then, in a run that is killed, resumed and paused', async () => {
  const folder = temporaryFolder();
  const payload = `worker.payload=${JSON.stringify([flakyPayload(folder)])}`;
  const args = [
    '--speed',
    '30',
    '--stf-count',
    '20',
    '--set',
    payload,
    '--set',
    'fast_processing.target_worker_count=6',
  ];
  const run = startCli(['run', ...args], { folder });
  await run.saw(/start_run/);
  const reader = openReader(join(folder, 'swf.db'));
  const queries = createQueries(reader, isAlive);
  const still = createStillReader(() => openReader(reader.name));
  const { execution_id } = queries.execution('latest');
  const kept: { question: Question; answer: Answer }[] = [];
  const askUntil = async (isOver: () => boolean): Promise<void> => {
    while (!isOver()) {
      for (const question of questionsAbout(execution_id, 'swf.100010.000001_slice_003.tf')) {
        const now = { ...contextOf(queries, Date.now(), noPast), held: still.ask.bind(still) };
        kept.push({ question, answer: (await answerTo(question, now)) as Answer });
      }
      await pause(300);
    }
  };
  await askUntil(() => queries.execution(execution_id).stf_count >= 8);
  run.child.kill('SIGKILL');
  await run.finished;
  let isOver = false;
  const others = async (): Promise<void> => {
    const resumed = runCli(['resume', execution_id], { folder });
    // A whole run within the life of the first, and a pause in which nothing is sent.
    await runCli(['run', '--speed', 'max', '--stf-count', '2', '--set', 'testbed.namespace=zwei'], { folder });
    await runCli(['pause', execution_id, '--reason', 'beam'], { folder });
    await pause(1000);
    await runCli(['continue', execution_id], { folder });
    await resumed;
  };
  const going = others().then(() => (isOver = true));
  await askUntil(() => isOver);
  await going;
  // Records other than messages carry the time before their commit: an answer within these milliseconds may not have seen them.
  const noted = reader
    .prepare<[], { at: string }>(
      `SELECT since AS at FROM past_agents UNION ALL SELECT exited_at FROM past_agents WHERE exited_at IS NOT NULL
       UNION ALL SELECT noted_at FROM past_commands UNION ALL SELECT registered_at FROM processes UNION ALL SELECT timestamp FROM app_logs`,
    )
    .all()
    .map(({ at }) => Date.parse(at));
  const isOnTheBrink = (exact: string): boolean => {
    const time = Date.parse(exact.split('@')[0] ?? '');
    return noted.some((at) => at <= time && at > time - brink);
  };
  const pasts = createPasts(reader, isAlive);
  let compared = 0;
  const differing: { question: Question; asked: unknown; given: unknown }[] = [];
  // In mixed order, so that moments are reached from earlier ones and from the beginning.
  const inNoOrder = kept.toSorted((a, b) => (JSON.stringify(a).length % 97) - (JSON.stringify(b).length % 97));
  for (const {
    question: [tool, given],
    answer,
  } of inNoOrder) {
    if (answer['error'] !== undefined || isOnTheBrink(String(answer['as_of_exact']))) continue;
    compared += 1;
    const question: Question = [tool, { ...given, as_of: answer['as_of_exact'] }];
    const asked = await answerTo(
      question,
      contextOf(queries, Date.now(), (...moment) => pasts.ask(...moment)),
    );
    if (!isDeepStrictEqual(settled(asked), settled(answer)))
      differing.push({ question, asked: settled(asked), given: settled(answer) });
  }
  // On a busy machine a commit may come later than the margin above allows, and the driver's clock may be a millisecond ahead.
  if (differing.length > compared / 25) expect(differing[0]?.asked).toEqual(differing[0]?.given);
  expect(compared).toBeGreaterThan(100);
  pasts.close();
  still.close();
  reader.close();
});

it('concurrent questions about several moments get the same answers as sequential ones', async () => {
  const folder = temporaryFolder();
  await runWorkflow(folder, '--stf-count', '3');
  const store = join(folder, 'swf.db');
  const client = await connectInProcess(store);
  const { items } = await ask(client, 'list_messages', { order: 'oldest', limit: 200 });
  const moments = [0.9, 0.2, 0.6, 0.4].map((part) => items[Math.floor(items.length * part)].message_id as string);
  const countAt = async (as_of: string): Promise<number> =>
    (await ask(client, 'list_messages', { as_of, limit: 1 }))['total_count'];
  const alone: number[] = [];
  for (const moment of moments) alone.push(await countAt(moment));
  expect(new Set(alone).size).toBe(4);
  expect(await Promise.all(moments.map(countAt))).toEqual(alone);
});
