import { useEffect, useRef, useState } from 'preact/hooks';

import { bodyOf } from '../../domain/shown.ts';
import { textOf } from '../../lib/words.ts';
import type { Page } from '../shared/answers.ts';
import { amount, noteForPeople, rowTime, zone } from '../shared/format.ts';
import { useOnScreen } from '../state/hooks.ts';
import { type CallError, world } from '../transport/call.ts';
import { Answered } from './banner.tsx';
import { Button } from './card.tsx';

interface Tab {
  name: string;
  tool: string;
  args: (level: string) => Record<string, unknown>;
  /** The fields that hold a row's key, its time, and the word to show in bold. */
  key: string;
  at: string;
  strong?: string;
  by: (row: Row) => unknown;
  words: (row: Row) => string;
  hasLevel?: true;
  hasSearch?: true;
}

const tabs: readonly [Tab, ...Tab[]] = [
  {
    name: 'log',
    tool: 'list_logs',
    args: (level) => ({ level }),
    key: 'log_id',
    at: 'timestamp',
    strong: 'level',
    by: ({ agent }) => agent,
    words: ({ message }) => textOf(message),
    hasLevel: true,
    hasSearch: true,
  },
  {
    name: 'messages',
    tool: 'list_messages',
    args: () => ({}),
    key: 'message_id',
    at: 'sent_at',
    strong: 'message_type',
    by: ({ sender_agent }) => sender_agent,
    words: ({ effect, effect_reason, body }) =>
      (effect === 'applied' ? '' : `${textOf(effect)}: ${textOf(effect_reason)} `) + bodyOf(body),
    hasSearch: true,
  },
  {
    name: 'failed slices',
    tool: 'list_tf_slices',
    args: () => ({ status: 'failed', time_field: 'completed' }),
    key: 'slice_filename',
    at: 'completed_at',
    by: ({ retries, assigned_worker }) => `${amount(Number(retries), 'retry', 'retries')}, ${textOf(assigned_worker)}`,
    words: ({ error }) => textOf(error),
  },
];

const levels = ['DEBUG', 'INFO', 'WARNING', 'ERROR'];

type Row = Record<string, unknown>;

interface Props {
  executionId: string;
  /** The earlier moment that the rows are from. */
  asOf?: string | undefined;
  tab: string | undefined;
  /** The time range shown, if it is not the whole run. ISO 8601. */
  window: { start_time?: string; end_time?: string };
  onTab: (tab: string) => void;
  onOpen: (slice: string) => void;
  /** Changes when there are new rows. */
  seq: number | undefined;
}

/** Arrow keys move between tabs (WAI-ARIA, "Tabs Pattern"). */
function moveTo(event: KeyboardEvent, onTab: Props['onTab']) {
  const buttons = [...(event.currentTarget as Element).children] as HTMLElement[];
  const at = buttons.indexOf(event.target as HTMLElement);
  const step = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: -1 }[event.key];
  const next = step === undefined ? undefined : buttons.at(step % buttons.length);
  if (next === undefined) return;
  event.preventDefault();
  next.focus();
  onTab(next.textContent ?? '');
}

/**
 * Which rows to show: new rows wait while the table is off the screen or the pointer is on it, so that no
 * row moves away under the pointer.
 */
function useHeld(seq: number | undefined) {
  const [frame, isOnScreen] = useOnScreen();
  const [isHeld, hold] = useState(false);
  const shown = useRef(seq);
  if (isOnScreen && !isHeld) shown.current = seq;
  return { frame, isHeld, hold, shown: shown.current };
}

/** Log lines, messages and failed slices in the time range shown, newest first. */
export function Tabs({ executionId, asOf, tab, window: part, onTab, onOpen, seq }: Props) {
  const [level, setLevel] = useState('INFO');
  const [search, setSearch] = useState('');
  const current = tabs.find(({ name }) => name === tab) ?? tabs[0];
  const { frame, isHeld, hold, shown } = useHeld(seq);
  const list = useRows(current, { executionId, asOf, level, search, part, seq: shown });
  return (
    <section class="card" ref={frame}>
      <div class="tabs">
        <div role="tablist" aria-label="Rows" onKeyDown={(event) => moveTo(event, onTab)}>
          {tabs.map(({ name }) => (
            <button
              key={name}
              type="button"
              role="tab"
              aria-selected={name === current.name}
              tabIndex={name === current.name ? 0 : -1}
              onClick={() => onTab(name)}
            >
              {name}
            </button>
          ))}
        </div>
        {current.hasLevel === true && (
          <label>
            minimum level{' '}
            <select value={level} onChange={(event) => setLevel(event.currentTarget.value)}>
              {levels.map((one) => (
                <option key={one}>{one}</option>
              ))}
            </select>
          </label>
        )}
        {current.hasSearch === true && (
          <label>
            search <input name="search" value={search} onInput={(event) => setSearch(event.currentTarget.value)} />
          </label>
        )}
        <small>
          newest first, times in {zone}
          {part.start_time !== undefined && ', within the selected time range'}
          {isHeld && ', updates paused while the pointer is here'}
        </small>
      </div>
      <div
        role="tabpanel"
        aria-label={current.name}
        onPointerEnter={() => hold(true)}
        onPointerLeave={() => hold(false)}
      >
        <Answered polled={list}>{(rows) => <Rows rows={rows} tab={current} onOpen={onOpen} />}</Answered>
        <p class="small">
          {list.answer?.length === 0 && 'No row matches.'} {noteForPeople(list.note)}
        </p>
        {list.more !== undefined && <Button onClick={list.more}>older</Button>}
      </div>
    </section>
  );
}

type Asked = Pick<Props, 'executionId' | 'asOf' | 'seq'> & { level: string; search: string; part: Props['window'] };

/** Reloads the first page when there are new rows; loads older pages on demand. */
function useRows(tab: Tab, { executionId, asOf, level, search, part, seq }: Asked) {
  const [state, setState] = useState<{ key: string; page?: Page<Row>; fault?: CallError }>({ key: '' });
  const args = {
    execution_id: executionId,
    ...(asOf === undefined ? {} : { as_of: asOf }),
    ...tab.args(level),
    ...part,
    // A prefix search also finds a word that is still being typed.
    ...(search.trim() === '' || tab.hasSearch !== true ? {} : { search: `${search.trim()}*` }),
    limit: 50,
  };
  const key = JSON.stringify([tab.tool, args]);
  const [isOlder, setOlder] = useState(false);
  useEffect(() => setOlder(false), [key]);
  useEffect(() => {
    let isGone = false;
    // Keep the place of a reader who is looking at older rows.
    if (isOlder) return undefined;
    world.call<Page<Row>>(tab.tool, args).then(
      (page) => !isGone && setState({ key, page }),
      (fault: CallError) => !isGone && setState({ key, fault }),
    );
    return () => void (isGone = true);
    // The rows of an earlier moment do not change.
  }, [key, asOf === undefined && seq, isOlder]);
  const more = async () => {
    setOlder(true);
    const { items, next_cursor } = await world.call<Page<Row>>(tab.tool, { ...args, cursor: state.page?.next_cursor });
    // The reader may have requested other rows in the meantime.
    setState((now) => {
      if (now.key !== key || now.page === undefined) return now;
      return { ...now, page: { ...now.page, items: [...now.page.items, ...items], next_cursor } };
    });
  };
  if (state.key !== key) return {};
  const { page, fault } = state;
  const onMore = (): void => void more().catch((failure: CallError) => setState({ ...state, fault: failure }));
  return { answer: page?.items, fault, note: page?.note, more: page?.next_cursor === undefined ? undefined : onMore };
}

function Rows({ rows, tab, onOpen }: { rows: readonly Row[]; tab: Tab; onOpen: (slice: string) => void }) {
  const { key, at, strong = '', by, words } = tab;
  return (
    <ul class="lines scroll tall" tabindex={0} aria-label={tab.name}>
      {rows.map((row, index) => {
        const above = rows[index - 1];
        const slice = textOf(row['slice_filename']);
        return (
          <li key={textOf(row[key])} class={textOf(row['level'])}>
            <span class="mono">
              {row[at] === undefined ? '' : rowTime(textOf(row[at]), above && textOf(above[at]))}
            </span>{' '}
            {slice === '' ? (
              <strong>{textOf(row[strong])}</strong>
            ) : (
              <Button shade="id" onClick={() => onOpen(slice)}>
                {slice}
              </Button>
            )}{' '}
            <small>{textOf(by(row))}</small> <span class="words">{words(row)}</span>
          </li>
        );
      })}
    </ul>
  );
}
