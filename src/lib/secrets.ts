/** Environment variables of this program that no other program has a use for. */
const secretVariables = [
  'ACTIVEMQ_PASSWORD',
  'SWF_MCP_TOKEN',
  'SWF_FILES_TOKEN',
  'SWF_MONITOR_TOKEN',
  'SWF_WEBHOOK',
] as const;

/** The environment that a payload or a notified program inherits. */
export function withoutSecrets(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const rest = { ...environment };
  for (const name of secretVariables) delete rest[name];
  return rest;
}
