import { printable } from '../../lib/printable.ts';
import { clause, shownTime, textOf } from '../../lib/words.ts';
import { addNoteTool, timeOfNote } from '../../tools/add-note.ts';
import { setQualityTool } from '../../tools/set-quality.ts';
import { askTool } from '../ask/ask-tool.ts';
import { createLogbook } from '../control/tool-logbook.ts';
import { type Io, userName } from '../shared/io.ts';
import { idOf } from '../shared/store-reader.ts';

interface NoteArguments {
  executionId: string;
  text: string;
  at?: string;
  about?: string;
  forNext: boolean;
  requestedBy?: string;
}

/** `swf-mcp note`: writes a note about an execution, or a general note. */
export async function noteCommand(io: Io, { executionId, text, about, forNext, requestedBy, ...given }: NoteArguments) {
  const execution_id = executionId === 'none' ? executionId : idOf(io, executionId);
  const at = timeOfNote(given.at, Date.now());
  const note = { execution_id, text, at, about, for_next: forNext, requested_by: requestedBy };
  const { message_id } = await askTool(io, addNoteTool, note);
  const subject = execution_id === 'none' ? '' : ` about ${execution_id}`;
  io.out(printable(`${textOf(message_id)} was written${subject}${clause(', for ', at && shownTime(at))}`) + '\n');
}

interface QualityArguments {
  executionId: string;
  value: string;
  reason: string;
  requestedBy?: string;
}

/** `swf-mcp quality`: sets or clears the quality of a run. */
export async function qualityCommand(io: Io, { executionId, requestedBy: requested_by, ...judged }: QualityArguments) {
  const execution_id = idOf(io, executionId);
  const answer = await askTool(io, setQualityTool, { ...judged, execution_id, requested_by });
  const [value, was] = [answer['value'], answer['was']].map(textOf);
  const done =
    value === 'none' ? `cleared the quality of ${execution_id}` : `set the quality of ${execution_id} to ${value}`;
  io.out(printable(`${done}${was === 'none' ? '' : ` (was ${was})`}`) + '\n');
}

interface SeenArguments {
  name: string;
  text?: string;
  requestedBy?: string;
}

/** `swf-mcp alarms seen`: records that a person has seen an alarm. */
export async function seenCommand(io: Io, { name, text, requestedBy }: SeenArguments) {
  const sender = userName(io);
  const request = { text, author: requestedBy ?? sender, sender };
  const { alarm_id, seen_by, is_over, is_new } = await createLogbook(io).seen(name, request);
  const what = is_new ? `is now marked as seen by ${seen_by}` : `was already marked as seen by ${seen_by}`;
  io.out(printable(`${alarm_id} ${what}${is_over ? '; it has cleared' : ''}`) + '\n');
}
