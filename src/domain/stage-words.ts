import type { StageName } from './stages.ts';

/** The stages as people name them, by what happens at their ends. */
const words: Readonly<Record<StageName, string>> = {
  'stf_gen → stf_ready': 'STF file made → ready',
  'stf_ready → tf_file_registered': 'STF file ready → TF sample made',
  'tf_file_registered → slice': 'TF sample made → slice queued',
  'slice → slice_started': 'slice queued → begun',
  'slice_started → slice_result': 'slice begun → completed',
  'slice_started → failed result': 'slice begun → failed',
};

const names = new RegExp(`\\b(?:${Object.keys(words).join('|')})\\b`, 'g');

/** A stage, or a sentence about stages, for a person to read: answers of tools name a stage by its two messages. */
export const stagesForPeople = (text: string): string => text.replaceAll(names, (name) => words[name as StageName]);
