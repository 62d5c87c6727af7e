import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { expect, it } from 'vitest';

import { StillReader } from '../../src/commands/shared/still-reader.ts';
import { openReader } from '../../src/db/opening/open-reader.ts';
import { Pasts } from '../../src/db/past-queries.ts';
import { createQueries } from '../../src/db/queries.ts';
import { pause } from '../../src/lib/deadline.ts';
import { isAlive } from '../../src/lib/process-identity.ts';
import { temporaryFolder } from '../folder.ts';
import { type Answer, runCli, startCli } from '../helpers.ts';
import { answerTo, contextOf, noPast, type Question, questionsAbout, settled } from './questions.ts';

/** A payload of which some attempts fail. */
function flakyPayload(folder: string): string {
  const path = join(folder, 'flaky.sh');
  writeFileSync(path, '#!/bin/sh\n[ $(($$ % 9)) -ne 0 ] || { echo "no luck" >&2; exit 3; }\n');
  chmodSync(path, 0o755);
  return path;
}

it('an answer as of a moment is the one that was given then, while a run went on, was killed and taken up', async () => {
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
  const still = new StillReader(() => openReader(reader.name));
  const { execution_id } = queries.execution('latest');
  const kept: { question: Question; answer: Answer }[] = [];
  const askUntil = async (isOver: () => boolean): Promise<void> => {
    while (!isOver()) {
      for (const question of questionsAbout(execution_id, 'swf.100010.000001_slice_003.tf')) {
        const now = { ...contextOf(queries, Date.now(), noPast), held: still.ask.bind(still) };
        kept.push({ question, answer: (await answerTo(question, now)) as Answer });
      }
      await pause(100);
    }
  };
  await askUntil(() => queries.execution(execution_id).stf_count >= 8);
  run.child.kill('SIGKILL');
  await run.finished;
  let isResumed = false;
  const resumed = runCli(['resume', execution_id], { folder }).then(() => (isResumed = true));
  await askUntil(() => isResumed);
  await resumed;
  const pasts = new Pasts(reader, isAlive);
  for (const {
    question: [tool, given],
    answer,
  } of kept) {
    if (answer['error'] !== undefined) continue;
    const question: Question = [tool, { ...given, as_of: answer['as_of_exact'] }];
    const asked = await answerTo(
      question,
      contextOf(queries, Date.now(), (asOf, present) => pasts.at(asOf, present)),
    );
    expect({ question, answer: settled(asked) }).toEqual({ question, answer: settled(answer) });
  }
  expect(kept.length).toBeGreaterThan(100);
  pasts.close();
  still.close();
  reader.close();
}, 120_000);
