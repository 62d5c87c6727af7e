import * as z from 'zod';

import { uncompiled } from '../domain/fields.ts';

// This also applies to the SDKs' schemas, which load later: few of them are used often enough to be worth
// compiling.
z.config(uncompiled);

/**
 * The adapters of the two eras of MCP, each loaded for the first client of its era. Up to 2025-11-25 a client
 * begins with the handshake `initialize`; from 2026-07-28 on, each request names its revision.
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
 * The era of a client. An unknown later revision belongs to the stateless era, whose server refuses it and
 * lists the revisions served.
 * @param body a message, or a list of them
 * @param header the `MCP-Protocol-Version` of the client's request, over HTTP
 */
export function eraOf(body: unknown, header = ''): keyof typeof adapters {
  const isLater = /^\d{4}-\d\d-\d\d$/.test(header) && header >= firstStateless;
  return isLater || [body].flat().some(namesRevision) ? 'stateless' : 'handshake';
}

const namesRevision = (message: unknown) => (message as Message)?.params?._meta?.[revisionKey] !== undefined;

/** A message, unchecked. */
type Message = { params?: { _meta?: Record<string, unknown> | null } | null } | null;
