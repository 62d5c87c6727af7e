import { useLayoutEffect, useRef } from 'preact/hooks';

import { outputsPlace } from '../../domain/file-names.ts';
import { duration } from '../../lib/duration.ts';
import type { Trace } from '../shared/answers.ts';
import { amount, rowTime, time } from '../shared/format.ts';
import { useAnswer } from '../state/hooks.ts';
import { world } from '../transport/call.ts';
import { Answered } from './banner.tsx';
import { Button, type Fact, FactList, PromptButton, promptOf } from './card.tsx';
import { Pill } from './pill.tsx';

/** The path of a file through the workflow. Escape closes it and restores the focus. */
export function Drawer({ name, asOf, onClose }: { name: string; asOf?: string | undefined; onClose: () => void }) {
  const polled = useAnswer(`${name} ${asOf}`, () =>
    world.call<Trace>('trace_data_product', { filename: name, ...(asOf === undefined ? {} : { as_of: asOf }) }),
  );
  const panel = useRef<HTMLDivElement>(null);
  const close = useRef(onClose);
  close.current = onClose;
  // Runs before the drawer is painted, so that keys work as soon as the drawer is visible.
  useLayoutEffect(() => {
    const before = document.activeElement as HTMLElement | null;
    panel.current?.focus();
    // Listen on the document, since the focus may be elsewhere when a key is pressed.
    const onKey = ({ key }: KeyboardEvent): void => void (key === 'Escape' && close.current());
    document.addEventListener('keydown', onKey);
    return () => {
      document.removeEventListener('keydown', onKey);
      before?.focus();
    };
  }, []);
  return (
    <div ref={panel} class="drawer" role="dialog" aria-label={`The path of ${name}`} tabindex={-1}>
      <div class="title">
        <h2>{name}</h2>
        <Button onClick={onClose}>close</Button>
      </div>
      <Answered polled={polled}>{(trace) => <Way trace={trace} />}</Answered>
    </div>
  );
}

function Way({ trace }: { trace: Trace }) {
  const { hops, logs, filename, execution_id } = trace;
  const calls = [{ tool: 'trace_data_product', arguments: { filename } }];
  return (
    <>
      <p>
        <Pill state={trace.status} />{' '}
        {trace.standing !== undefined && trace.standing !== trace.status ? `${trace.standing}, ` : ''}
        {trace.attempts !== undefined && `${amount(trace.attempts, 'attempt')}, `}
        {trace.total_seconds !== undefined && `${duration(trace.total_seconds)} in all, `}from{' '}
        {time(hops[0]?.time ?? '')}
      </p>
      <PromptButton text={promptOf(`What happened to ${filename} in execution ${execution_id}?`, calls)} />
      {trace.slice !== undefined && <Worked trace={trace} slice={trace.slice} />}
      <ol class="way">
        {hops.map((hop, at) => (
          <li key={at} class={hop.outcome === 'failed' ? 'bad' : ''}>
            <span class="mono">{rowTime(hop.time, hops[at - 1]?.time ?? hop.time)}</span>{' '}
            {hop.delay_seconds !== undefined && <span class="delay">+{duration(Math.max(0, hop.delay_seconds))}</span>}{' '}
            <strong>{hop.type}</strong> {hop.attempt === undefined ? '' : `attempt ${hop.attempt} `}
            {hop.outcome === undefined ? '' : `${hop.outcome} `}
            <small>{hop.worker ?? hop.by ?? ''}</small>
            {hop.effect !== 'applied' && <small> without effect</small>}
            {hop.note !== undefined && <div class="words mono">{hop.note}</div>}
          </li>
        ))}
      </ol>
      {logs.length > 0 && (
        <>
          <h3>Related log lines</h3>
          <ul class="lines">
            {logs.map((line, at) => (
              <li key={line.log_id}>
                <span class="mono">{rowTime(line.time, logs[at - 1]?.time ?? hops[0]?.time)}</span>{' '}
                <small>{line.agent}</small> <span class="words">{line.message}</span>
              </li>
            ))}
          </ul>
        </>
      )}
    </>
  );
}

/** How a slice was processed, and its outcome. */
function Worked({ trace, slice }: { trace: Trace; slice: NonNullable<Trace['slice']> }) {
  const { outputs = [], outputs_folder, outputs_omitted = 0, output_tail } = slice;
  return (
    <>
      <FactList facts={factsOf(trace, slice)} />
      {outputs_folder !== undefined && <p class="mono">{outputsPlace(outputs_folder, slice.host)}</p>}
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

const factsOf = ({ tf_filename, worker, payload }: Trace, slice: NonNullable<Trace['slice']>): Fact[] => [
  ['frames', slice.tf_first === undefined ? undefined : `${slice.tf_first} to ${slice.tf_last}`],
  ['of', tf_filename],
  ['worker', worker],
  ['host', slice.host],
  ['took', slice.seconds === undefined ? undefined : duration(slice.seconds)],
  ['payload', payload],
  ['exit code', slice.exit_code],
  ['signal', slice.signal],
  ['outputs', slice.outputs && slice.outputs.length + (slice.outputs_omitted ?? 0)],
];

function bytes(n: number) {
  const unit = ['B', 'kB', 'MB', 'GB', 'TB'];
  const step = n < 1000 ? 0 : Math.min(4, Math.floor(Math.log10(n) / 3));
  return `${step === 0 ? n : (n / 1000 ** step).toFixed(1)} ${unit[step]}`;
}
