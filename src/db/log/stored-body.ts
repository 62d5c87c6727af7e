import type { EnvelopeColumns } from './envelope.ts';

/** A payload, and the columns of its row that describe it. */
export interface Said {
  payload: string;
  message_id: string;
  envelope: EnvelopeColumns;
}

/**
 * Cuts the envelope off a payload if the columns of its row can restore it byte for byte (`messageColumns.payload` does). Our own agents write the
 * envelope after the fields in a fixed order; a payload with another order, or that is not JSON, stays whole.
 */
export function storedBody(row: Said, sentAt: string, isJson: boolean): { body: string; is_whole: number } {
  const { payload } = row;
  const [before, after] = envelopeTexts(row, sentAt) ?? ['', ''];
  const end = payload.length - after.length;
  const isUsual =
    isJson &&
    after !== '' &&
    end >= before.length &&
    payload.startsWith(before) &&
    payload.endsWith(after) &&
    // After the type comes the comma of the first field, or of the envelope.
    payload[before.length] === ',';
  return isUsual ? { body: `{${payload.slice(before.length + 1, end)}}`, is_whole: 0 } : { body: payload, is_whole: 1 };
}

/** The texts before and after the fields; undefined if a column of the envelope is empty. A text that JSON escapes does not match. */
function envelopeTexts(
  { message_id, envelope: { msg_type, sender, namespace, execution_id, run_id, simulation_tick } }: Said,
  sentAt: string,
): [before: string, after: string] | undefined {
  if (sender === undefined || namespace === undefined || execution_id === undefined || run_id === undefined)
    return undefined;
  const tick = simulation_tick === undefined ? '' : `,"simulation_tick":${simulation_tick}`;
  return [
    `{"msg_type":"${msg_type}"`,
    `,"sender":"${sender}","namespace":"${namespace}","execution_id":"${execution_id}","run_id":"${run_id}",` +
      `"timestamp":"${sentAt}"${tick},"message_id":"${message_id}"}`,
  ];
}
