/** The words for states, as stored and as reported. Phases and slices have their own tables. */
/** The states of an execution that messages report. */
export const reportedStatuses = ['running', 'completed', 'failed', 'terminated'] as const;

/**
 * `unknown`: an execution of other programs that is no longer heard, and whose end was neither heard nor
 * reported.
 */
export const executionStatuses = [...reportedStatuses, 'unknown'] as const;

export type ExecutionStatus = (typeof executionStatuses)[number];

/** Who ran an execution: swf-mcp, or other programs that it observed. */
export const origins = ['own', 'observed'] as const;

/**
 * `registered`: the DAQ has announced the file. `processed`: the data agent has measured it. In prompt
 * processing `announced` by the DAQ, `registered` by the data agent, `processing`, and `processed` by PanDA.
 */
export const stfStatuses = ['announced', 'registered', 'processing', 'processed', 'failed'] as const;

export type StfStatus = (typeof stfStatuses)[number];

export const agentStates = ['STARTING', 'READY', 'PROCESSING', 'EXITED'] as const;

export type AgentState = (typeof agentStates)[number];

export const agentStatuses = ['OK', 'WARNING', 'ERROR', 'STALE'] as const;

export type AgentStatus = (typeof agentStatuses)[number];

export const agentTypes = ['daq_simulator', 'data', 'fastmon', 'fast_processing', 'worker'] as const;

export type AgentType = (typeof agentTypes)[number];

/** Those of other programs, too: prompt processing has an agent of its own. */
export const knownAgentTypes = [...agentTypes, 'processing'] as const;

export type KnownAgentType = (typeof knownAgentTypes)[number];

/** The agents that run as separate processes. Fast processing is a part of the recorder. */
export const separateTypes = ['daq_simulator', 'data', 'fastmon', 'worker'] as const satisfies readonly AgentType[];

export type SeparateType = (typeof separateTypes)[number];

/** The actions that a running execution accepts. */
export const actions = ['stop', 'pause', 'continue'] as const;

export type Action = (typeof actions)[number];

/** Severities of findings, the worst first. */
export const severities = ['error', 'warning', 'info'] as const;

export type Severity = (typeof severities)[number];

/** How an execution is doing, besides its status: derived, never stored. */
export const healths = ['progressing', 'slow', 'paused', 'draining', 'stalled', 'finished', 'failed'] as const;

export type Health = (typeof healths)[number];

/** What an execution that is under way may be; one that is over has its status. */
export const healthsUnderWay = healths.filter((health) => health !== 'finished' && health !== 'failed');
