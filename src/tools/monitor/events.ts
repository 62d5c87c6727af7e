import type { Landmark } from '../../db/reports/landmarks.ts';
import { counted } from '../../lib/counted.ts';
import { roundDuration } from '../../lib/duration.ts';
import { onceFor } from '../../lib/once-for.ts';
import { present } from '../../lib/present.ts';
import { objectIn } from '../../lib/read-json.ts';
import { claimedName } from '../../lib/words.ts';
import { clipped } from './parts.ts';

/**
 * A landmark of an execution as the monitor shows it: the sender and the meaning of the message. Both the row
 * and the event are cached until the next commit.
 */
export const asEvent = onceFor((row: Landmark) => {
  const body = bodyOf(row.body);
  return present({
    time: row.sent_at,
    type: row.message_type,
    message_id: row.message_id,
    by: clipped(
      body['claimed_by'] === undefined ? row.sender_agent : claimedName(body['claimed_by'], row.sender_agent),
    ),
    // The usual effect, `applied`, is left out.
    effect: row.effect === 'applied' ? null : row.effect,
    note: clipped(row.effect === 'applied' ? noteOf(row, body) : refusalOf(row)),
  });
});

const refusalOf = ({ effect_code, effect_reason }: Landmark) =>
  effect_code === 'REFUSED' ? `refused: ${effect_reason}` : effect_reason;

/** The text and number fields of a body, all as text. */
type Body = Readonly<Record<string, string | undefined>>;

function bodyOf(text: string | null) {
  const simple = Object.entries(objectIn(text)).filter(([, value]) => ['string', 'number'].includes(typeof value));
  return Object.fromEntries(simple.map(([key, value]) => [key, String(value)]));
}

const words = (...parts: (string | undefined)[]) => {
  const known = parts.filter((part) => part !== undefined);
  return known.length === 0 ? null : known.join(' ');
};

/** How long an execution had no driver, if the messages' times show it. */
function gapOf({ sent_at }: Landmark, { last_sign = '' }: Body) {
  const seconds = (Date.parse(sent_at) - Date.parse(last_sign)) / 1000;
  return Number.isFinite(seconds) && seconds >= 0 ? `; resumed ${roundDuration(seconds)} later` : '';
}

function noteOf(row: Landmark, body: Body) {
  const { pid, hostname, user, speed, cause, code, epoch, last_sign, last_sign_by, status, reason, total_stf_files } =
    body;
  switch (row.message_type) {
    case 'driver_started':
      return words(
        `process ${pid} on ${hostname}, started by ${user}, speed ${speed}`,
        reason === undefined ? undefined : `(${reason})`,
      );
    case 'driver_ended':
      return cause === 'fault' ? words('fault:', code, reason) : words(cause);
    case 'driver_lost':
      return `driver ${epoch} was lost: last heard from at ${last_sign} (${last_sign_by})${gapOf(row, body)}`;
    case 'end_run':
      return (
        [total_stf_files && counted(Number(total_stf_files), 'STF file'), reason].filter(Boolean).join(', ') || null
      );
    case 'execution_status':
      return words(status);
    case 'workflow_ended':
      return status === reason ? words(status) : words(`${status}:`, reason);
    default:
      return words(reason);
  }
}
