import { addNote, markSeen, setQuality } from '../../db/logbook/entries.ts';
import { openExistingStore } from '../../db/opening/open-store.ts';
import type { Store } from '../../db/opening/store.ts';
import { maxAuthor, maxNote, qualities } from '../../domain/logbook-words.ts';
import { argumentInvalid, valueInvalid } from '../../lib/errors.ts';
import { printable } from '../../lib/printable.ts';
import { nearest } from '../../lib/suggest.ts';
import { clause } from '../../lib/words.ts';
import { timeOfNote } from '../../tools/add-note.ts';
import { seenByShown } from '../../tools/monitor/people.ts';
import type { Logbook } from '../../tools/shared/services.ts';
import { type Io, storeOptions, storePath, userName } from '../shared/io.ts';
import { createStoreReader } from '../shared/store-reader.ts';

/**
 * The logbook of the store, as tools, routes and commands write it. The store is opened for each entry: there
 * are few.
 */
export const createLogbook = (io: Io): Logbook => ({
  note: (request) => onStore(io, (store) => addNote(store, request)),
  quality: (request) => onStore(io, (store) => setQuality(store, request)),
  async seen(name, request) {
    const { alarm, isNew } = await onStore(io, (store) => markSeen(store, name, request));
    const { alarm_id, state } = alarm;
    return { alarm_id, seen_by: seenByShown(alarm) ?? '', is_over: state === 'cleared', is_new: isNew };
  },
});

async function onStore<T>(io: Io, work: (store: Store) => Promise<T>) {
  using store = await openExistingStore(storePath(io), storeOptions(io));
  return await work(store);
}

interface Writer {
  requestedBy?: string;
}

interface NoteArguments extends Writer {
  executionId: string;
  text: string;
  at?: string;
  about?: string;
  forNext: boolean;
}

/** `swf-mcp note`: writes a note about an execution, or about none. */
export async function noteCommand(io: Io, { executionId, text, at, about, forNext, requestedBy }: NoteArguments) {
  requireText('the note', text);
  const execution_id = executionId === 'none' ? undefined : idOf(io, executionId);
  const time = timeOfNote(at, Date.now());
  const message_id = await createLogbook(io).note({
    execution_id,
    text,
    at: time,
    about,
    for_next: forNext ? true : undefined,
    ...authorOf(io, requestedBy),
  });
  io.out(printable(`${message_id} is written${clause(' about ', execution_id)}${clause(', of ', time)}`) + '\n');
}

interface QualityArguments extends Writer {
  executionId: string;
  value: string;
  reason: string;
}

/** `swf-mcp quality`: judges a run. */
export async function qualityCommand(io: Io, { executionId, value, reason, requestedBy }: QualityArguments) {
  requireText('--reason', reason);
  const execution_id = idOf(io, executionId);
  const request = { execution_id, value: qualityNamed(value), reason, ...authorOf(io, requestedBy) };
  const { was } = await createLogbook(io).quality(request);
  const done =
    request.value === 'none'
      ? `withdrew the quality of ${execution_id}`
      : `set the quality of ${execution_id} to ${request.value}`;
  io.out(printable(`${done}${was === 'none' ? '' : ` (was ${was})`}`) + '\n');
}

/** `swf-mcp alarms seen`: says that a person has seen an alarm. */
export async function seenCommand(io: Io, { name, text, requestedBy }: Writer & { name: string; text?: string }) {
  if (text !== undefined) requireText('the text', text);
  const request = { text, ...authorOf(io, requestedBy) };
  const { alarm_id, seen_by, is_over, is_new } = await createLogbook(io).seen(name, request);
  const what = is_new ? `is now marked as seen by ${seen_by}` : `was already marked as seen by ${seen_by}`;
  io.out(printable(`${alarm_id} ${what}${is_over ? '; it has cleared' : ''}`) + '\n');
}

function qualityNamed(value: string) {
  const found = qualities.find((one) => one === value);
  if (found !== undefined) return found;
  throw valueInvalid(
    `${JSON.stringify(value)} is not a quality; the nearest is ${nearest(value, qualities, 1)[0]}; allowed are ${qualities.join(', ')}`,
  );
}

function requireText(what: string, text: string, most = maxNote) {
  if (text.trim() !== '' && text.length <= most) return;
  throw argumentInvalid(`${what} has ${text.trim().length} characters; give 1 to ${most}`);
}

function authorOf(io: Io, requestedBy: string | undefined) {
  const sender = userName(io);
  if (requestedBy !== undefined) requireText('--requested-by', requestedBy, maxAuthor);
  return { author: requestedBy?.trim() ?? sender, sender };
}

/** The id in full. Throws `EXECUTION_NOT_FOUND`. */
export function idOf(io: Io, executionId: string) {
  using reader = createStoreReader(io);
  return reader.queries().execution(executionId).execution_id;
}
