import { useState } from 'preact/hooks';

import type { Page } from '../shared/answers.ts';
import { inZone, time } from '../shared/format.ts';
import { useChoice, usePoll } from '../state/hooks.ts';
import { executionHash } from '../state/route.ts';
import { useAround } from '../state/world.ts';
import { CallError } from '../transport/call.ts';
import { More } from './card.tsx';
import { Icon } from './icon.tsx';
import { Pill } from './pill.tsx';

interface Alarm {
  alarm_id: string;
  severity: 'error' | 'warning';
  sentence: string;
  execution_id?: string;
  raised_at: string;
  count: number;
  seen_by?: string;
}

const everyMilliseconds = 5000;
const mostShown = 20;

/** Alarms that are not over: in one line, whose height is kept, and opened with what each says. */
export function AlarmBar() {
  const { world } = useAround();
  const { answer, fault } = usePoll(
    async () => {
      const ask = (state: string): Promise<Page<Alarm>> => world.call('list_alarms', { state, limit: mostShown });
      return { unseen: await ask('raised'), seen: await ask('seen') };
    },
    { key: 'alarms', every: everyMilliseconds, isOver: () => false },
  );
  if (answer === undefined) return <p class="alarms quiet">{fault === undefined ? '' : 'alarms: no answer'}</p>;
  const { unseen, seen } = answer;
  const [alarms, total] = [[...unseen.items, ...seen.items], unseen.total_count + seen.total_count];
  // The tool says so in a note, which may say more.
  const nobody = unseen.note?.includes('"swf-mcp watch" runs') === true ? ': "swf-mcp watch" does not run' : '';
  if (total === 0) return <p class="alarms quiet">no alarms{nobody}</p>;
  return (
    <details class="alarms">
      <summary class={unseen.total_count > 0 ? 'loud' : ''}>
        {unseen.total_count > 0 && (
          <strong>
            <Icon name="alert" /> {amount(unseen.total_count)} not seen by anybody
          </strong>
        )}
        {unseen.total_count > 0 && seen.total_count > 0 && ', '}
        {seen.total_count > 0 && `${amount(seen.total_count)} seen and not over`}
        {nobody !== '' && '; no new one comes'}
        {nobody}
      </summary>
      <ul class="lines">
        {alarms.map((alarm) => (
          <Line key={alarm.alarm_id} alarm={alarm} />
        ))}
      </ul>
      <More n={total - alarms.length} of="alarms; swf-mcp alarms lists all" />
    </details>
  );
}

const amount = (n: number): string => `${n} alarm${n === 1 ? '' : 's'}`;

function Line({ alarm }: { alarm: Alarm }) {
  const { zone } = useAround();
  const { alarm_id, severity, sentence, execution_id, raised_at, count, seen_by } = alarm;
  return (
    <li>
      <Pill state={severity === 'error' ? 'failed' : 'slow'}>{severity}</Pill>{' '}
      {execution_id === undefined ? (
        <strong>{alarm_id}</strong>
      ) : (
        <a href={executionHash(execution_id, { asof: raised_at })}>{alarm_id}</a>
      )}{' '}
      <small>
        since {time(raised_at, zone)}
        {count > 1 && `, for the ${count}. time`}
      </small>
      <div>{inZone(sentence, zone)}</div>
      {seen_by === undefined ? <SeenForm alarmId={alarm_id} /> : <small>seen by {seen_by}</small>}
    </li>
  );
}

/** Says that a person has seen an alarm. */
function SeenForm({ alarmId }: { alarmId: string }) {
  const { world } = useAround();
  const [name, setName] = useChoice<string>('name', '');
  const [text, setText] = useState('');
  const [told, tell] = useState('');
  const { post } = world;
  if (post === undefined) return null;
  const send = async (): Promise<void> => {
    try {
      const by = { requested_by: name.trim(), text: text.trim() };
      await post('alarms/seen', {
        alarm_id: alarmId,
        ...Object.fromEntries(Object.entries(by).filter(([, value]) => value !== '')),
      });
      dispatchEvent(new Event('swf-again'));
    } catch (error) {
      tell(error instanceof CallError ? error.message : String(error));
    }
  };
  return (
    <form
      class="filters"
      onSubmit={(event) => {
        event.preventDefault();
        void send();
      }}
    >
      <label>
        your name <input value={name} onInput={(event) => setName(event.currentTarget.value)} />
      </label>
      <label>
        what you do <input value={text} onInput={(event) => setText(event.currentTarget.value)} />
      </label>
      <button type="submit">I have seen it</button>
      {told !== '' && <small role="alert">{told}</small>}
    </form>
  );
}
