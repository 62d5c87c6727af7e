/**
 * The testbed's name for the workflow whose STF files PanDA processes at sites. The workflow has no TF files
 * and no slices.
 */
export const promptProcessing = 'prompt_processing';

/** The testbed's name for the workflow whose slices workers process. */
export const fastProcessing = 'stf_datataking';

export const isPrompt = ({ workflow_name }: { workflow_name?: string | null | undefined }) =>
  workflow_name === promptProcessing;

/**
 * The workflow named in an execution id, if a runner built the id from the workflow's name (one word), a user
 * and a number; undefined for other ids.
 */
export const workflowInId = (executionId: string) => /^([A-Za-z]\w*)-.+-\d+$/.exec(executionId)?.[1];

/** The status reason of an ended prompt processing execution about which nothing was reported over REST. */
export const processingUnheard = 'processing is not on the bus';

/**
 * Why an execution has its status.
 * @param processing_unheard 1 if this is an execution of prompt processing and nothing was reported over REST
 */
export const statusReasonOf = (execution: {
  status: string;
  status_reason: string | null;
  processing_unheard: number;
}) =>
  execution.status === 'completed' && execution.processing_unheard === 1 ? processingUnheard : execution.status_reason;
