import { qualities } from '../../domain/logbook-words.ts';
import { executionStatuses, origins } from '../../domain/states.ts';
import { orders } from '../shared/order.ts';
import { hashOf, type PageProps } from '../state/route.ts';

/** Text filters for executions: the label of each, by the name of the tool's argument. */
const written = {
  namespace: 'namespace',
  executed_by: 'started by',
  search: 'words in notes and reasons',
  config: 'configuration',
  payload: 'payload',
  min_stf_count: 'min. STF files',
} as const;

/** Filters with a fixed set of values; no value means any. */
const chosenOf = {
  status: { label: 'state', values: executionStatuses },
  quality: { label: 'quality', values: qualities },
  has_failures: { label: 'failures', values: ['true', 'false'] },
  origin: { label: 'made', values: origins },
} as const;

const valueWords: Readonly<Record<string, string>> = { true: 'some', false: 'none', own: 'here', none: 'not set' };

const names = [...Object.keys(written), ...Object.keys(chosenOf)];

/** Filters that are always visible; the others are collapsed. */
const usual: readonly string[] = ['namespace', 'executed_by', 'status'];

export const orderWords = (sort: string) =>
  orders[sort] === undefined ? 'running first, then by start' : `the newest, sorted by ${sort}`;

/** The tool's arguments in an address. */
export function questionOf(params: PageProps['params']): Record<string, string | boolean> {
  return Object.fromEntries(
    [...names, 'cursor'].flatMap((name): [string, string | boolean][] => {
      const value = params[name] ?? '';
      if (value === '') return [];
      return [[name, name === 'has_failures' ? value === 'true' : value]];
    }),
  );
}

interface FiltersProps extends Pick<PageProps, 'params' | 'change'> {
  chosen: readonly string[];
}

/** The filters and the order of executions. The choices are kept in the address. */
export function Filters({ params, change, chosen }: FiltersProps) {
  const others = names.filter((name) => !usual.includes(name));
  const field = (name: string) => <Field key={name} name={name} params={params} change={change} />;
  const isOpen = others.some((name) => (params[name] ?? '') !== '');
  return (
    <form class="filters" onSubmit={(event) => event.preventDefault()}>
      {usual.map(field)}
      <Choice
        label="order"
        value={params['sort'] ?? ''}
        any="start"
        values={Object.keys(orders)}
        onChoice={(sort) => change({ sort, cursor: '' })}
      />
      {chosen.length === 2 ? (
        <a class="button" href={hashOf({ page: 'compare', ids: chosen })}>
          compare the two
        </a>
      ) : (
        <small>select two to compare</small>
      )}
      <details open={isOpen}>
        <summary>more filters</summary>
        <div class="filters">{others.map(field)}</div>
      </details>
    </form>
  );
}

interface ChoiceProps {
  label: string;
  value: string;
  /** The label of the option that has no value. */
  any: string;
  values: readonly string[];
  onChoice: (value: string) => void;
}

const Choice = ({ label, value, any, values, onChoice }: ChoiceProps) => (
  <label>
    {label}{' '}
    <select value={value} onChange={(event) => onChoice(event.currentTarget.value)}>
      <option value="">{any}</option>
      {values.map((one) => (
        <option key={one} value={one}>
          {valueWords[one] ?? one}
        </option>
      ))}
    </select>
  </label>
);

function Field({ name, params, change }: { name: string } & Pick<PageProps, 'params' | 'change'>) {
  const value = params[name] ?? '';
  const set = (next: string) => change({ [name]: next, cursor: '' });
  const choice = chosenOf[name as keyof typeof chosenOf] as (typeof chosenOf)[keyof typeof chosenOf] | undefined;
  if (choice !== undefined) return <Choice {...choice} value={value} any="any" onChoice={set} />;
  const inputmode = name === 'min_stf_count' ? 'numeric' : 'text';
  return (
    <label>
      {written[name as keyof typeof written]}{' '}
      <input {...{ name, value, inputmode }} onInput={(event) => set(event.currentTarget.value)} />
    </label>
  );
}
