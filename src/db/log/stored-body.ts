import type { EnvelopeColumns } from './envelope.ts';

/** A payload, and what the columns of its row say of it. */
interface Said {
  payload: string;
  message_id: string;
  envelope: EnvelopeColumns;
}

/** A payload as the log stores it. */
export interface StoredBody {
  /** Its own fields as JSON, or the whole text. */
  body: string;
  is_whole: 0 | 1;
}

/**
 * Cuts the envelope off a payload where the columns of its row can give it back byte for byte (`messageColumns.payload` does). Our own agents
 * write the envelope behind the fields in one order; a payload that says it in another way, or that is no JSON, stays whole.
 */
export function storedBody(row: Said, sentAt: string, isJson: boolean): StoredBody {
  const { payload } = row;
  const [before, after] = envelopeTexts(row, sentAt) ?? ['', ''];
  const end = payload.length - after.length;
  const isUsual =
    isJson &&
    after !== '' &&
    end >= before.length &&
    payload.startsWith(before) &&
    payload.endsWith(after) &&
    // Behind the type stands the comma of the first field, or of the envelope.
    (end === before.length || payload[before.length] === ',');
  return isUsual ? { body: `{${payload.slice(before.length + 1, end)}}`, is_whole: 0 } : { body: payload, is_whole: 1 };
}

/** The texts before and behind the fields; undefined where a column of the envelope is empty. A text that JSON escapes is another here. */
function envelopeTexts(
  { message_id, envelope: { message_type, sender, namespace, execution_id, run_id, simulation_tick } }: Said,
  sentAt: string,
): [before: string, after: string] | undefined {
  if (sender === undefined || namespace === undefined || execution_id === undefined || run_id === undefined)
    return undefined;
  const tick = simulation_tick === undefined ? '' : `,"simulation_tick":${simulation_tick}`;
  return [
    `{"msg_type":"${message_type}"`,
    `,"sender":"${sender}","namespace":"${namespace}","execution_id":"${execution_id}","run_id":"${run_id}",` +
      `"timestamp":"${sentAt}"${tick},"message_id":"${message_id}"}`,
  ];
}
