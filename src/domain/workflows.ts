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
 * The workflow in the id of an execution: a runner makes ids of the name of the workflow, which is a word, of
 * a user and of a number. Undefined for another id.
 */
export const workflowInId = (executionId: string) => /^([A-Za-z]\w*)-.+-\d+$/.exec(executionId)?.[1];

/** Of an ended execution of prompt processing of which nothing came by REST. */
export const processingUnheard = 'processing is not on the bus';

/**
 * Why an execution has its status.
 * @param processing_unheard 1 if it is of prompt processing, and nothing came by REST
 */
export const statusReasonOf = (execution: {
  status: string;
  status_reason: string | null;
  processing_unheard: number;
}) =>
  execution.status === 'completed' && execution.processing_unheard === 1 ? processingUnheard : execution.status_reason;
