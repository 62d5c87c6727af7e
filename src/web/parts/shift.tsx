import { periodWords } from '../../domain/period-words.ts';
import type { Shift as ShiftAnswer } from '../shared/answers.ts';
import { amount, count, time, tookOf } from '../shared/format.ts';
import { usePoll } from '../state/hooks.ts';
import { executionHash, hashOf, type PageProps } from '../state/route.ts';
import { world } from '../transport/call.ts';
import { Answered } from './banner.tsx';
import { Bar, More } from './card.tsx';
import { Linked } from './linked.tsx';
import { Notes } from './people.tsx';
import { StatePill } from './pill.tsx';
import { numbers, Table } from './table.tsx';

const spans = ['-1h', '-8h', '-24h', '-7d'];
const everyMilliseconds = 10_000;

/** The hand-over report for a period. */
export function Shift({ params, change }: PageProps) {
  const since = params['since'] ?? '-8h';
  const ask = () => world.call<ShiftAnswer>('shift_report', { start_time: since });
  const polled = usePoll(ask, { key: since, every: everyMilliseconds });
  const { answer } = polled;
  return (
    <section class="card">
      <h1>
        Shift report{' '}
        {answer && (
          <small>
            {time(answer.start_time)} to {time(answer.end_time)}
          </small>
        )}
      </h1>
      <p class="tabs">
        {spans.map((span) => (
          <button key={span} type="button" aria-pressed={span === since} onClick={() => change({ since: span })}>
            last {span.slice(1)}
          </button>
        ))}
      </p>
      <Answered polled={polled}>{(report) => <Report report={report} />}</Answered>
    </section>
  );
}

type Alarm = NonNullable<ShiftAnswer['alarms']>[number];

const inTheList = <a href={hashOf({ page: 'overview' })}>in the list of executions</a>;

function Report({ report }: { report: ShiftAnswer }) {
  const ids = report.executions.map(({ execution_id }) => execution_id);
  const { totals } = report;
  // Leaves out who started a run if the table names that user, and who has seen an alarm, since the alarm's
  // line says so.
  const told = report.people
    .filter(({ did, name, execution_id: id }) =>
      did === 'started'
        ? report.executions.some((row) => row.execution_id === id && row.executed_by !== name)
        : !did.startsWith('saw '),
    )
    .map(
      ({ time: at, name, did, execution_id, reason }) =>
        `${time(at)} ${name} ${did} ${execution_id}${reason === undefined ? '' : ` (${reason})`}`,
    );
  return (
    <>
      <p>
        {amount(totals.executions, 'execution')}: {count(totals.running)} running, {count(totals.completed)} completed,{' '}
        {count(totals.failed)} failed, {count(totals.terminated)} terminated
        {totals.unknown > 0 && `, ${count(totals.unknown)} unknown`}. {periodWords(totals, amount)} {report.note}
      </p>
      <Lines title="Open" items={report.open.length > 0 ? report.open : ['None.']} ids={ids} />
      <More n={report.open_omitted} of="open items; choose a shorter period to see them" />
      <Section title="From the last shift" notes={report.from_last} />
      <h2>Executions</h2>
      <Executions report={report} />
      <More n={report.executions_omitted} of={inTheList} />
      <Lines
        title="Failed attempts by cause"
        items={report.causes.map(({ cause, attempts }) => `${count(attempts)} × ${cause}`)}
        ids={[]}
      />
      <More n={report.causes_omitted} of="causes" />
      <Lines title="Alarms" ids={ids} items={report.alarms?.map(alarmWords)} />
      <Section title="Notes" notes={report.notes} />
      <Lines title="Who did what" ids={ids} items={told} />
      <More n={report.people_omitted} />
      <Section title="For the next shift" notes={report.for_next} />
      <details>
        <summary>as Markdown, for a logbook</summary>
        <pre class="words">{report.text}</pre>
      </details>
    </>
  );
}

const alarmWords = ({ alarm_id, sentence, raised_at, seen_by, seen_text, cleared_at }: Alarm) => {
  const seen = seen_by === undefined ? 'not seen by anyone' : `seen by ${seen_by}`;
  const over = cleared_at === undefined ? 'not cleared' : `cleared at ${time(cleared_at)}`;
  return `${time(raised_at)} ${alarm_id}: ${sentence} (${[seen, seen_text, over].filter(Boolean).join(', ')})`;
};

const Section = ({ title, notes }: { title: string; notes: ShiftAnswer['notes'] }) =>
  notes && (
    <>
      <h2>{title}</h2>
      <Notes notes={notes} />
    </>
  );

function Executions({ report }: { report: ShiftAnswer }) {
  type Row = ShiftAnswer['executions'][number];
  return (
    <Table
      label="Executions"
      rows={report.executions}
      keyOf={({ execution_id }) => execution_id}
      columns={[
        { head: 'execution', cell: ({ execution_id }) => <a href={executionHash(execution_id)}>{execution_id}</a> },
        {
          head: 'state',
          cell: ({ silent_seconds: silent, slices_stay_failed = 0, stf_failed = 0, ...row }) => (
            <StatePill {...row} failed={slices_stay_failed + stf_failed} isSilent={silent !== undefined} isExhausted />
          ),
        },
        {
          head: 'slices',
          shade: 'wide',
          cell: ({ slices_created: total, slices_completed: completed = 0, slices_stay_failed: failed = 0 }) =>
            total === undefined ? null : (
              <Bar total={total} parts={{ completed, failed, undone: total - completed - failed }} />
            ),
        },
        numbers<Row>(
          'completed / created',
          ({ slices_created: total, slices_completed: completed = 0 }) =>
            total === undefined ? '' : `${count(completed)} of ${count(total)}`,
          'when',
        ),
        { head: 'by', cell: ({ executed_by }) => executed_by },
        { head: 'start', shade: 'when', cell: ({ start_time }) => time(start_time) },
        numbers<Row>('took', tookOf, 'when'),
        { head: 'quality', cell: ({ quality }) => quality },
      ]}
    />
  );
}

interface LinesProps {
  title: string;
  items: readonly string[] | undefined;
  /** The executions that a line links to. */
  ids: readonly string[];
}

/** Lines with a title; nothing if there are none. */
const Lines = ({ title, items = [], ids }: LinesProps) =>
  items.length > 0 && (
    <>
      <h2>{title}</h2>
      <ul class="lines">
        {items.map((item, at) => (
          <li key={at} class="words">
            <Linked text={item} ids={ids} />
          </li>
        ))}
      </ul>
    </>
  );
