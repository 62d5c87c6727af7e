/** The words for states, as stored and as reported. Phases and slices have their own tables. */
/** The execution states that messages report. */
export const reportedStatuses = ['running', 'completed', 'failed', 'terminated'] as const;

/**
 * `unknown`: an execution of other programs that is no longer heard from and whose end was neither received
 * nor reported.
 */
export const executionStatuses = [...reportedStatuses, 'unknown'] as const;

export type ExecutionStatus = (typeof executionStatuses)[number];

/** The programs that ran an execution: swf-mcp, or other programs that it observed. */
export const origins = ['own', 'observed'] as const;

/**
 * `registered`: the DAQ has announced the file. `processed`: the data agent has measured it. In prompt
 * processing: `announced` by the DAQ, `registered` by the data agent, `processing`, and `processed` by PanDA.
 */
export const stfStatuses = ['announced', 'registered', 'processing', 'processed', 'failed'] as const;

export type StfStatus = (typeof stfStatuses)[number];

export const agentStates = ['STARTING', 'READY', 'PROCESSING', 'EXITED'] as const;

export type AgentState = (typeof agentStates)[number];

export const agentStatuses = ['OK', 'WARNING', 'ERROR', 'STALE'] as const;

export type AgentStatus = (typeof agentStatuses)[number];

export const agentTypes = ['daq_simulator', 'data', 'fastmon', 'fast_processing', 'worker'] as const;

export type AgentType = (typeof agentTypes)[number];

/** Includes the agent types of other programs: prompt processing has its own agent. */
export const knownAgentTypes = [...agentTypes, 'processing'] as const;

export type KnownAgentType = (typeof knownAgentTypes)[number];

/** The agents that run as separate processes. Fast processing is part of the recorder. */
export const separateTypes = ['daq_simulator', 'data', 'fastmon', 'worker'] as const satisfies readonly AgentType[];

export type SeparateType = (typeof separateTypes)[number];

export const actions = ['stop', 'pause', 'continue'] as const;

export type Action = (typeof actions)[number];

/** Severities of findings, worst first. */
export const severities = ['error', 'warning', 'info'] as const;

export type Severity = (typeof severities)[number];

/** The condition of an execution, in addition to its status: derived, never stored. */
export const healths = ['progressing', 'slow', 'paused', 'draining', 'stalled', 'finished', 'failed'] as const;

export type Health = (typeof healths)[number];

/** The health values of an execution in progress; an ended execution has its status instead. */
export const healthsUnderWay = healths.filter((health) => health !== 'finished' && health !== 'failed');
