import { useState } from 'preact/hooks';

import type { ExecutionRow, Page } from '../shared/answers.ts';
import { count, noteForPeople, time, tookOf } from '../shared/format.ts';
import { inOrder } from '../shared/order.ts';
import { usePoll } from '../state/hooks.ts';
import { executionHash, type PageProps } from '../state/route.ts';
import { world } from '../transport/call.ts';
import { FaultBanner, Skeleton } from './banner.tsx';
import { Bar, Button } from './card.tsx';
import { Filters, orderWords, questionOf } from './filters.tsx';
import { StatePill } from './pill.tsx';
import { type Column, numbers, Table } from './table.tsx';

const pageRows = 25;
const everyMilliseconds = 2000;

/** How many rows to request when they are sorted by anything other than time. */
const sortedRows = 200;

type Change = PageProps['change'];

/** All executions: running ones first, then by start time. */
export function Overview({ params, change }: PageProps) {
  const { status = '', cursor = '', sort = '' } = params;
  const asked = questionOf(params);
  const { answer, fault, at } = usePoll(
    async () => {
      const ask = (more: object): Promise<Page<ExecutionRow>> =>
        world.call('list_workflow_executions', { limit: sort === '' ? pageRows : sortedRows, ...asked, ...more });
      const page = await ask({});
      if (status !== '' || cursor !== '') return page;
      const { items } = await ask({ status: 'running' });
      return { ...page, items: [...items, ...page.items.filter((row) => row.status !== 'running')] };
    },
    { key: JSON.stringify([asked, sort !== '']), every: everyMilliseconds },
  );
  // There is no store yet if the server was started before the first run.
  const isNoStore = fault?.message.startsWith('STORE_UNAVAILABLE: there is no store');
  const [chosen, choose] = useState<string[]>([]);
  const toggle = (id: string) =>
    choose(chosen.includes(id) ? chosen.filter((one) => one !== id) : [...chosen, id].slice(-2));
  return (
    <section class="card">
      <h1>
        Executions <small>{orderWords(sort)}</small>
      </h1>
      <Filters params={params} change={change} chosen={chosen} />
      {isNoStore ? (
        <p>Nothing to show yet: {fault?.message.replace(/^\w+: /, '')}.</p>
      ) : (
        <FaultBanner fault={fault} at={at} />
      )}
      {!answer && !fault && <Skeleton />}
      {answer && (
        <>
          {answer.items.length > 0 ? (
            <Executions rows={inOrder(answer.items, sort)} chosen={chosen} toggle={toggle} />
          ) : Object.keys(asked).length > 0 ? (
            <p>Nothing matches. {noteForPeople(answer.note)}</p>
          ) : (
            <p>Nothing to show yet: {answer.note}.</p>
          )}
          <Pages answer={answer} isFirst={cursor === ''} change={change} />
        </>
      )}
    </section>
  );
}

const Pages = ({ answer, isFirst, change }: { answer: Page<ExecutionRow>; isFirst: boolean; change: Change }) => (
  <p class="pages">
    {!isFirst && <Button onClick={() => change({ cursor: '' })}>newest</Button>}
    {answer.next_cursor !== undefined && <Button onClick={() => change({ cursor: answer.next_cursor })}>older</Button>}
    <small>
      {answer.items.length} of {answer.total_is_lower_bound === true ? 'at least ' : ''}
      {count(answer.total_count)}
    </small>
  </p>
);

interface ExecutionsProps {
  rows: ExecutionRow[];
  chosen: string[];
  toggle: (id: string) => void;
}

function Executions({ rows, chosen, toggle }: ExecutionsProps) {
  const columns: Column<ExecutionRow>[] = [
    {
      head: 'compare',
      cell: ({ execution_id }) => (
        <input
          type="checkbox"
          aria-label={`compare ${execution_id}`}
          checked={chosen.includes(execution_id)}
          onChange={() => toggle(execution_id)}
        />
      ),
    },
    { head: 'execution', shade: 'name', cell: (row) => <Name row={row} /> },
    { head: 'state', cell: (row) => <State row={row} /> },
    {
      head: 'slices',
      shade: 'wide',
      cell: (row) => (row.slices_created === undefined ? null : <SlicesOf {...row} created={row.slices_created} />),
    },
    { head: 'start', shade: 'when', cell: ({ start_time }) => time(start_time) },
    numbers('took', tookOf, 'when'),
    numbers('run', ({ run_number }) => run_number, 'spare'),
    numbers('STFs', ({ stf_count }) => count(stf_count), 'spare'),
    { head: 'namespace', shade: 'spare', cell: ({ namespace }) => namespace },
    { head: 'quality', shade: 'spare', cell: ({ quality }) => quality },
  ];
  return <Table label="Executions" columns={columns} rows={rows} keyOf={({ execution_id }) => execution_id} isCards />;
}

/**
 * The fraction of the planned slices that are done; without a plan, the fraction of the slices created so far.
 */
function SlicesOf({
  created,
  slices_planned: planned,
  slices_completed: completed = 0,
  slices_failed: failed = 0,
}: ExecutionRow & { created: number }) {
  return (
    <>
      <Bar
        total={Math.max(planned ?? 0, created)}
        parts={{ completed, failed, undone: created - completed - failed }}
      />
      <small>
        {count(completed + failed)} of {count(planned ?? created)}
        {planned === undefined && ' so far'}
      </small>
    </>
  );
}

const Name = ({ row: { execution_id, origin } }: { row: ExecutionRow }) => (
  <>
    <a href={executionHash(execution_id)}>{execution_id}</a>
    {origin === 'observed' && <small> observed</small>}
  </>
);

const State = ({ row: { silent_seconds, slices_failed = 0, stf_failed = 0, ...row } }: { row: ExecutionRow }) => (
  <>
    <StatePill {...row} isSilent={silent_seconds !== undefined} failed={slices_failed + stf_failed} />
    {row.status_reason !== row.status && row.status !== 'unknown' && <small>{row.status_reason}</small>}
  </>
);
