import type { Monitor, Page } from '../shared/answers.ts';
import { usePoll } from '../state/hooks.ts';
import { changed, executionHash, type PageProps } from '../state/route.ts';
import { useAround } from '../state/world.ts';
import { FaultBanner, Skeleton } from './banner.tsx';
import { Execution } from './execution.tsx';

/** How often to check for a newer execution. Milliseconds. */
const every = 2000;

/** The newest execution; switches to the next one as soon as it begins. */
export function Latest(props: PageProps) {
  const { world } = useAround();
  const ask = () => world.call<Page<Pick<Monitor, 'execution_id'>>>('list_workflow_executions', { limit: 1 });
  const { answer, fault } = usePoll(ask, { key: 'latest', every });
  const id = answer?.items[0]?.execution_id;
  /** A place within a run has that run's address, so that it can be shared: it would be another one's tomorrow. "Back" follows again. */
  const change: PageProps['change'] = (params) => {
    if (id === undefined || Object.entries(params).every(([name, value]) => name === 'tab' || value === undefined))
      props.change(params);
    else location.hash = executionHash(id, changed(props.params, params));
  };
  if (id !== undefined) return <Execution key={id} {...props} change={change} ids={[id]} />;
  if (answer !== undefined) return <p class="banner">There is no execution yet: the first one will be shown here.</p>;
  return fault === undefined ? <Skeleton /> : <FaultBanner fault={fault} />;
}
