import express, { type Express, type Request, type RequestHandler, type Response } from 'express';
import * as z from 'zod';

import { maxAuthor, maxNote } from '../domain/logbook-words.ts';
import { SwfError } from '../lib/errors.ts';
import { allPrintable } from '../lib/printable.ts';
import { nameless } from './callers.ts';
import { callerOf, refuse } from './guard.ts';

/** Records that a person has seen an alarm. Throws `ARGUMENT_INVALID` if `alarm` names none. */
export type MarkSeen = (
  alarm: string,
  by: { author: string; sender: string; text: string | undefined },
) => Promise<{ alarm_id: string; seen_by: string; is_over: boolean; is_new: boolean }>;

const refusal =
  'UNAUTHORIZED: only a token of scope note or control marks an alarm as seen; in a terminal, use "swf-mcp alarms seen ID"';

/** Largest accepted body; it may hold a note. */
const bodyLimit = '32kb';

const seenBody = z.strictObject({
  alarm_id: z.string().min(1).max(3000),
  text: z.string().trim().min(1).max(maxNote).optional(),
  /** The person on whose behalf it is sent, if not the token's name. */
  requested_by: z.string().trim().min(1).max(maxAuthor).optional(),
});

/**
 * `POST /alarms/seen`: for tokens that may write into the logbook.
 * @param markSeen undefined if no client may
 */
export function addAlarmSeen(app: Express, markSeen: MarkSeen | undefined, inTurn: RequestHandler): void {
  app.post('/alarms/seen', inTurn, express.json({ limit: bodyLimit, type: () => true }), (request, response) => {
    if (markSeen === undefined || callerOf(request).scope === 'read') return refuse(response, 403, -32_000, refusal);
    return answerSeen(request, response, markSeen);
  });
}

async function answerSeen(request: Request, response: Response, markSeen: MarkSeen): Promise<void> {
  const { name: sender = nameless } = callerOf(request);
  const { data } = seenBody.safeParse(request.body);
  if (data === undefined)
    return refuse(response, 400, -32_602, 'give {"alarm_id":"…"}, with text and requested_by if you like');
  try {
    const { alarm_id, text, requested_by = sender } = data;
    response.json(allPrintable(await markSeen(alarm_id, { author: requested_by, sender, text })));
  } catch (error) {
    if (!(error instanceof SwfError)) throw error;
    refuse(response, error.code === 'ARGUMENT_INVALID' ? 404 : 503, -32_602, error.line);
  }
}
