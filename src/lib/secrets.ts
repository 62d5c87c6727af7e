/** Environment variables that hold this program's secrets; no other program needs them. */
const secretVariables = [
  'ACTIVEMQ_PASSWORD',
  'SWF_MCP_TOKEN',
  'SWF_FILES_TOKEN',
  'SWF_MONITOR_TOKEN',
  'SWF_WEBHOOK',
] as const;

/** The environment that a payload, or a site's command that fetches files, inherits. */
export function withoutSecrets(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const rest = { ...environment };
  for (const name of secretVariables) delete rest[name];
  return rest;
}

/** A token that a header can hold: an error about any other token would quote it, and so leak it. */
export const bearerTokenPattern = /^[\x21-\x7E]+$/;

const minLength = 16;

/** Why a token is too weak for an address where others could try out tokens; undefined if it is long enough. */
export const weaknessOf = (token: string) =>
  token.length >= minLength
    ? undefined
    : `has ${token.length} characters and can be guessed; on an address that others can reach, use one of at least ${minLength}`;

/** The HTTP URL in a text; undefined if the text is not one, or contains a login, which must not appear in a log. */
export function httpUrl(text: string): URL | undefined {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  return url && /^https?:$/.test(url.protocol) && url.username === '' && url.password === '' ? url : undefined;
}
