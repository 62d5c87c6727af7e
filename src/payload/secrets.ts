/** Environment variables of this program that a payload has no use for. */
const secretVariables = ['ACTIVEMQ_PASSWORD', 'SWF_MCP_TOKEN', 'SWF_FILES_TOKEN'] as const;

/** The environment that a payload inherits. */
export function withoutSecrets(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const rest = { ...environment };
  for (const name of secretVariables) delete rest[name];
  return rest;
}
