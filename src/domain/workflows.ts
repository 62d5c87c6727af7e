/**
 * The workflow whose STF files PanDA processes at sites, by the name that the testbed gives it. It has no TF
 * files and no slices.
 */
export const promptProcessing = 'prompt_processing';

/** The workflow whose slices workers process, by the name that the testbed gives it. */
export const fastProcessing = 'stf_datataking';

/** Whether a run is of prompt processing. */
export const isPrompt = ({ workflow_name }: { workflow_name?: string | null | undefined }) =>
  workflow_name === promptProcessing;

/**
 * The workflow in the id of an execution: a runner builds ids from the name of the workflow (one word), a
 * user and a number. Undefined for another id.
 */
export const workflowInId = (executionId: string) => /^([A-Za-z]\w*)-.+-\d+$/.exec(executionId)?.[1];

/** For an ended execution of prompt processing about which nothing was reported over REST. */
export const processingUnheard = 'processing is not on the bus';

/**
 * Why an execution has its status.
 * @param processing_unheard 1 if it is of prompt processing, and nothing was reported over REST
 */
export const statusReasonOf = (execution: {
  status: string;
  status_reason: string | null;
  processing_unheard: number;
}) =>
  execution.status === 'completed' && execution.processing_unheard === 1 ? processingUnheard : execution.status_reason;
