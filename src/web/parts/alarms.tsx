import { useState } from 'preact/hooks';

import type { Alarm, Page } from '../shared/answers.ts';
import { amount, inZone, time } from '../shared/format.ts';
import { usePoll } from '../state/hooks.ts';
import { executionHash } from '../state/route.ts';
import { type World, world } from '../transport/call.ts';
import { More, sending } from './card.tsx';
import { useOwnName, useWriting } from './people.tsx';
import { Icon, Pill } from './pill.tsx';

const everyMilliseconds = 5000;
const maxShown = 20;

/** Open alarms, in one line of fixed height, which opens to show a sentence for each alarm. */
export function AlarmBar() {
  const { answer, fault } = usePoll(
    async () => {
      const ask = (state: string): Promise<Page<Alarm> & { unwatched?: true }> =>
        world.call('list_alarms', { state, limit: maxShown });
      return { unseen: await ask('raised'), seen: await ask('seen') };
    },
    { key: 'alarms', every: everyMilliseconds },
  );
  // The last answer may be outdated.
  if (fault !== undefined) return <p class="alarms quiet">alarms unavailable</p>;
  if (answer === undefined) return <p class="alarms quiet" />;
  const { unseen, seen } = answer;
  const [alarms, total] = [[...unseen.items, ...seen.items], unseen.total_count + seen.total_count];
  const nobody = unseen.unwatched === true ? ': "swf-mcp watch" is not running' : '';
  if (total === 0)
    return <p class="alarms quiet">{nobody === '' ? 'no alarms' : `not watching for alarms${nobody}`}</p>;
  return (
    <details class="alarms">
      <summary class={unseen.total_count > 0 ? 'loud' : ''}>
        {unseen.total_count > 0 && (
          <strong>
            <Icon name="alert" /> {amount(unseen.total_count, 'alarm')} not seen by anyone
          </strong>
        )}
        {unseen.total_count > 0 && seen.total_count > 0 && ', '}
        {seen.total_count > 0 && `${amount(seen.total_count, 'alarm')} seen but not cleared`}
        {nobody !== '' && '; no new alarms are being raised'}
        {nobody}
      </summary>
      <ul class="lines">
        {alarms.map((alarm) => (
          <Line key={alarm.alarm_id} alarm={alarm} />
        ))}
      </ul>
      <More n={total - alarms.length} of="alarms" />
    </details>
  );
}

function Line({ alarm }: { alarm: Alarm }) {
  const { alarm_id, severity, sentence, execution_id, raised_at, count, seen_by, seen_text } = alarm;
  return (
    <li>
      <Pill state={severity} />{' '}
      {execution_id === undefined ? (
        <strong>{alarm_id}</strong>
      ) : (
        <a href={executionHash(execution_id, { asof: raised_at })}>{alarm_id}</a>
      )}{' '}
      <small>
        since {time(raised_at)}
        {count > 1 && `, raised ${count} times`}
      </small>
      <div>{inZone(sentence)}</div>
      {seen_by !== undefined && (
        <small>
          seen by {seen_by}
          {seen_text !== undefined && `: ${seen_text}`}
        </small>
      )}
      {seen_by === undefined && world.post && <SeenForm alarmId={alarm_id} post={world.post} />}
    </li>
  );
}

function SeenForm({ alarmId, post }: { alarmId: string; post: NonNullable<World['post']> }) {
  const { by, field } = useOwnName();
  const { told, send } = useWriting();
  const [words, setWords] = useState('');
  const text = words.trim() === '' ? {} : { text: words.trim() };
  return (
    <form class="filters" onSubmit={sending(() => send(post('alarms/seen', { alarm_id: alarmId, ...by, ...text })))}>
      {field}
      <label>
        what you are doing about it <input value={words} onInput={(event) => setWords(event.currentTarget.value)} />
      </label>
      <button type="submit">I have seen it</button>
      {told}
    </form>
  );
}
