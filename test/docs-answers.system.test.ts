import { readFileSync } from 'node:fs';

import { expect, it } from 'vitest';

import { answersPage, makeAnswers } from '../scripts/docs/answers.ts';
import { everyTool } from '../src/tools/index.ts';

/** The form of an answer: its keys and types, without what differs from run to run. */
function formOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(formOf);
  if (typeof value !== 'object' || value === null) return typeof value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, formOf(inner)]));
}

it('docs/answers.md shows answers in the form that the tools return', () => {
  const page = readFileSync('docs/answers.md', 'utf8');
  const now = makeAnswers();
  const shown = [...page.matchAll(/```json\n([\s\S]*?)```/g)].map(([, text = '']) => text);
  expect(shown.map((text) => formOf(JSON.parse(text)))).toEqual(now.map(({ answer }) => formOf(answer)));
  expect(page.match(/^## \S+$/gm)).toEqual(answersPage(now).match(/^## \S+$/gm));
  expect(now.map(({ tool }) => tool).toSorted()).toEqual(everyTool.map(({ name }) => name).toSorted());
});
