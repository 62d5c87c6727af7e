import { useEffect, useRef, useState } from 'preact/hooks';

import type { Trace } from '../answers.ts';
import { clock, duration, time } from '../format.ts';
import { useAround } from '../state/world.ts';
import type { CallError } from '../transport/call.ts';
import { Skeleton } from './banner.tsx';
import { Pill } from './pill.tsx';
import { PromptButton, promptOf } from './prompt.tsx';

/** The way of a file through the workflow. Escape closes it, and the focus goes back to where it was. */
export function Drawer({ name, onClose }: { name: string; onClose: () => void }) {
  const { world } = useAround();
  const [trace, setTrace] = useState<Trace | undefined>(undefined);
  const [fault, setFault] = useState<CallError | undefined>(undefined);
  const panel = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const before = document.activeElement as HTMLElement | null;
    panel.current?.focus();
    return () => before?.focus();
  }, []);
  useEffect(() => {
    let isGone = false;
    setTrace(undefined);
    setFault(undefined);
    world.call<Trace>('trace_data_product', { filename: name }).then(
      (answer) => !isGone && setTrace(answer),
      (error: CallError) => !isGone && setFault(error),
    );
    return () => {
      isGone = true;
    };
  }, [name]);
  return (
    <div
      ref={panel}
      class="drawer"
      role="dialog"
      aria-label={`The way of ${name}`}
      tabindex={-1}
      onKeyDown={(event) => event.key === 'Escape' && onClose()}
    >
      <div class="title">
        <h2>{name}</h2>
        <button type="button" onClick={onClose}>
          close
        </button>
      </div>
      {fault !== undefined && <p class="banner bad">! {fault.message}</p>}
      {trace === undefined ? fault === undefined && <Skeleton /> : <Way trace={trace} />}
    </div>
  );
}

function Way({ trace }: { trace: Trace }) {
  const { zone } = useAround();
  const { hops, logs } = trace;
  return (
    <>
      <p>
        <Pill state={trace.status} />{' '}
        {trace.standing !== undefined && trace.standing !== trace.status ? trace.standing : ''}{' '}
        {trace.attempts === undefined ? '' : `${trace.attempts} attempt${trace.attempts === 1 ? '' : 's'}, `}
        {duration(trace.total_seconds)} in all, from {time(hops[0]?.time ?? '', zone)}
      </p>
      <PromptButton
        text={promptOf(`What happened to ${trace.filename} of execution ${trace.execution_id}?`, [
          { tool: 'trace_data_product', arguments: { filename: trace.filename } },
        ])}
      />
      <ol class="way">
        {hops.map((hop, at) => (
          <li key={at} class={hop.outcome === 'failed' ? 'bad' : ''}>
            <span class="mono">{clock(Date.parse(hop.time), zone, true)}</span>{' '}
            {hop.delay_seconds !== undefined && <span class="delay">+{duration(Math.max(0, hop.delay_seconds))}</span>}{' '}
            <strong>{hop.type}</strong> {hop.attempt === undefined ? '' : `attempt ${hop.attempt} `}
            {hop.outcome === undefined ? '' : `${hop.outcome} `}
            <span class="small">{hop.worker ?? hop.by ?? ''}</span>
            {hop.effect !== 'applied' && <span class="small"> without effect</span>}
            {hop.note !== undefined && <div class="words mono">{hop.note}</div>}
          </li>
        ))}
      </ol>
      {logs.length > 0 && (
        <>
          <h3>Log lines that name it</h3>
          <ul class="lines">
            {logs.map((line) => (
              <li key={line.log_id}>
                <span class="mono">{clock(Date.parse(line.time), zone, true)}</span>{' '}
                <span class="small">{line.agent}</span> <span class="words">{line.message}</span>
              </li>
            ))}
          </ul>
        </>
      )}
    </>
  );
}
