import { knownConfigs } from '../../config/find-files.ts';
import { summarized } from '../../domain/summary-words.ts';
import { tools } from '../../tools/index.ts';
import { configPlaces, type Io } from '../shared/io.ts';
import type { KnownWords } from './completion.ts';
import { commandGroups } from './groups.ts';

/** Words that arguments of commands may be, by the arguments' names. */
export const knownWords = (io: Io): KnownWords => ({
  EXECUTION_ID: ['latest'],
  COMMAND: Object.values(commandGroups).flat(),
  CONFIG: knownConfigs(configPlaces(io)).map(({ name }) => name),
  TOOL: tools.map(({ name }) => name),
  WHAT: summarized,
});
