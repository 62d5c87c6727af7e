/** The gaps of a shift report. */
interface Missing {
  /** Why it is empty. */
  nothing: string | undefined;
  /** Whether what outlived the shift is told by its counts alone. */
  isUncertain: boolean;
  /** Executions of which messages were recorded too late. */
  late: readonly string[];
  /** Executions too large to be looked at for troubles. */
  unseen: readonly string[] | undefined;
}

const uncertain =
  'what still ran at the end of this time is told by its counts then, without health, findings and troubles; get_workflow_monitor with as_of tells how one stood';

/** The note of a report: what it does not tell, and where to find it. Undefined if it tells everything. */
export function noteOf({ nothing, isUncertain, late, unseen = [] }: Missing): string | undefined {
  const notes = [
    ...(nothing === undefined ? [] : [nothing]),
    ...(isUncertain ? [uncertain] : []),
    ...(late.length === 0
      ? []
      : [`messages sent in this time but recorded later are missing: ${some(late)}; get_workflow_monitor has them`]),
    ...(unseen.length === 0
      ? []
      : [
          `too large to be looked at for troubles: ${some(unseen)}; get_workflow_monitor with as_of tells how each stood`,
        ]),
  ];
  return notes.length === 0 ? undefined : notes.join('; ');
}

const some = (ids: readonly string[]): string =>
  `${ids.slice(0, 3).join(', ')}${ids.length > 3 ? ` and ${ids.length - 3} more` : ''}`;
