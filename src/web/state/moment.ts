import { spanOf } from '../draw/span.ts';
import type { Monitor, Timeline } from '../shared/answers.ts';
import { binOf, countsAt, countsNow, endOf } from './as-of.ts';
import { useAudit, useMonitorAt } from './asking.ts';
import type { PageProps } from './route.ts';
import { useAround } from './world.ts';

interface Asked {
  monitor: Monitor;
  params: PageProps['params'];
  line: Timeline | undefined;
  isOver: boolean;
}

/** An execution as shown: now, or at the moment of the address once the server has answered for it. A report has no server to ask. */
export function useShown(id: string, { monitor, params, line, isOver }: Asked) {
  const asOf = asOfFrom(params, line);
  const moment = useMoment(params);
  const audit = useAudit(id, isOver);
  const { answer: then, fault } = useMonitorAt(id, moment);
  return then === undefined
    ? {
        monitor,
        audit,
        counts: asOf === undefined || line === undefined ? countsNow(monitor) : countsAt(line, asOf),
        asOf,
        isNow: (moment ?? asOf) !== undefined,
        moment: undefined,
        fault,
      }
    : { monitor: then, audit: undefined, counts: countsNow(then), asOf, isNow: false, moment, fault };
}

/** The moment of the address, if a server can answer for it. */
function useMoment({ asof }: Readonly<Record<string, string>>): string | undefined {
  const { world } = useAround();
  return world.kind === 'report' || Number.isNaN(timeOfMoment(asof)) ? undefined : asof;
}

/** The time of `TIME` or `TIME@MESSAGE_ID`, in milliseconds since 1970; NaN for anything else. */
export const timeOfMoment = (asof = ''): number => Date.parse(asof.split('@')[0] ?? '');

function asOfFrom({ asof }: Readonly<Record<string, string>>, whole: Timeline | undefined): number | undefined {
  const at = timeOfMoment(asof);
  if (Number.isNaN(at) || whole === undefined || at >= spanOf(whole).until) return undefined;
  // Show the time of the counts, however long the bins are by now.
  return endOf(whole, binOf(whole, at));
}
