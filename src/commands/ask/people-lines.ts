import type { AnswerOf } from '../../tools/answers/by-tool.ts';

type Monitor = AnswerOf<'get_workflow_monitor'>;

/** The quality of an execution and the notes about it, the last note first. */
export const peopleLines = ({ quality, notes = [] }: Monitor): string[] => [
  ...(quality === undefined
    ? []
    : [`  quality     ${quality.value}: ${quality.reason} (${quality.author}, ${quality.at})`]),
  ...notes.map(
    ({ at, author, about, text }) => `  note        ${at} ${author}${about === undefined ? '' : `, ${about}`}: ${text}`,
  ),
];
