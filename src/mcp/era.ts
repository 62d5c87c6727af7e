/**
 * The adapters of MCP's two eras, each loaded when a client of its era comes: with the handshake `initialize`, to 2025-11-25, and with the revision
 * in each request, from 2026-07-28.
 */
export const adapters = {
  handshake: () => import('./sdk-1.ts'),
  stateless: () => import('./sdk-2.ts'),
};

/** The first revision without a handshake. Revisions are dates. */
const firstStateless = '2026-07-28';

/** The key that each request of the stateless era has in its `_meta`. */
const revisionKey = 'io.modelcontextprotocol/protocolVersion';

/**
 * The era that a client speaks. A revision that is not known yet is of the later era, which answers with those that it knows.
 * @param body a message, or a list of them
 * @param header the `MCP-Protocol-Version` of its request, over HTTP
 */
export function eraOf(body: unknown, header = ''): keyof typeof adapters {
  const isLater = /^\d{4}-\d\d-\d\d$/.test(header) && header >= firstStateless;
  return isLater || [body].flat().some(namesRevision) ? 'stateless' : 'handshake';
}

const namesRevision = (message: unknown) =>
  (message as { params?: { _meta?: Record<string, unknown> | null } | null } | null)?.params?._meta?.[revisionKey] !==
  undefined;
