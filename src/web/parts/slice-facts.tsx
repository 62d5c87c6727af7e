import type { Page, SliceRow, Trace } from '../shared/answers.ts';
import { duration } from '../shared/format.ts';
import { useAnswer } from '../state/hooks.ts';
import { useAround } from '../state/world.ts';
import { Answered } from './banner.tsx';
import { type Fact, FactList } from './card.tsx';

/** How a slice was processed, and its outcome. */
export function SliceFacts({ trace, asOf }: { trace: Trace; asOf: string | undefined }) {
  const { world } = useAround();
  const { filename, execution_id } = trace;
  const polled = useAnswer(`facts ${filename} ${asOf}`, () =>
    world.call<Page<SliceRow>>('list_tf_slices', {
      execution_id,
      slice_filename: filename,
      ...(asOf === undefined ? {} : { as_of: asOf }),
    }),
  );
  return <Answered polled={polled}>{({ items: [slice] }) => slice && <Worked slice={slice} />}</Answered>;
}

function Worked({ slice }: { slice: SliceRow }) {
  const { outputs = [], outputs_omitted = 0, output_tail } = slice;
  return (
    <>
      <FactList facts={factsOf(slice)} />
      {outputs.length > 0 && (
        <ul class="lines" aria-label="outputs">
          {outputs.map((output) => (
            <li key={output.name}>
              <span class="mono">{output.name}</span> <small>{bytes(output.size_bytes)}</small>
            </li>
          ))}
          {outputs_omitted > 0 && <li>and {outputs_omitted} more</li>}
        </ul>
      )}
      {output_tail !== undefined && <pre class="words mono">{output_tail.replaceAll('\\n', '\n')}</pre>}
    </>
  );
}

const factsOf = (slice: SliceRow): Fact[] => [
  ['frames', slice.tf_first === undefined ? undefined : `${slice.tf_first} to ${slice.tf_last}`],
  ['of', slice.tf_filename],
  ['worker', slice.assigned_worker],
  ['took', slice.seconds === undefined ? undefined : duration(slice.seconds)],
  ['payload', slice.payload],
  ['exit code', slice.exit_code],
  ['signal', slice.signal],
  ['outputs', slice.outputs === undefined ? undefined : slice.outputs.length + (slice.outputs_omitted ?? 0)],
];

function bytes(n: number): string {
  const unit = ['B', 'kB', 'MB', 'GB', 'TB'];
  const step = n < 1000 ? 0 : Math.min(4, Math.floor(Math.log10(n) / 3));
  return `${step === 0 ? n : (n / 1000 ** step).toFixed(1)} ${unit[step]}`;
}
