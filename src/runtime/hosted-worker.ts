import type { DeliveredSlice } from '../agents/ports.ts';
import type { ExecutionStanding } from '../agents/slice-worker.ts';
import { isBelow, isElsewhere } from '../domain/file-address.ts';
import type { Draft } from '../messages/message.ts';
import { surroundingsOf } from '../remote/part.ts';
import { createWorker, remoteVoice, type Voice } from '../remote/worker-part.ts';
import type { Execution } from './execution.ts';
import type { Host } from './host.ts';

/** How often to report to the recorder what its own worker has in hand, in milliseconds. */
const reportMilliseconds = 2000;

/** The worker is this process itself, which exists only once. */
const hostedSince = 'here';

/**
 * Runs the worker that a recorder hosts: a remote worker in the recorder's own process. It takes slices from the broker's queue like any other, so
 * also those of other recorders of the namespace. Resolves when the execution is stopped.
 */
export async function runHostedWorker(host: Host, name: string, slots: number, here: Execution): Promise<void> {
  const { options, recorder, namespace, payloads } = host;
  const { broker: connection, destinations, views, directory } = recorder;
  const { environment, config } = options;
  const { stopped } = here.lifetime;
  let saidOffDuty = '[]';
  const report = (): void => {
    const now = worker.report();
    directory.hear(name, hostedSince, { agent_type: 'worker', ...now });
    const offDutyNow = JSON.stringify(now.off_duty);
    if (offDutyNow !== saidOffDuty) host.heartbeat.noteOffDuty(name, now.off_duty);
    saidOffDuty = offDutyNow;
  };
  const around = surroundingsOf(
    {
      name,
      namespace,
      destinations,
      connection,
      params: { ...config, speed: 1 },
      environment,
      views,
      others: directory,
      lifetime: { draining: stopped, stopped },
      onChange: report,
      onStep: () => {},
    },
    (message) => options.log.write({ level: 'WARNING', message }),
  );
  const worker = createWorker(around, {
    payloads,
    connectApart: () => recorder.connectApart(),
    slots,
    reject: (delivery) => recorder.record(destinations.slices, delivery),
    voice: voiceOf(host, name, here, remoteVoice(around)),
  });
  const timer = setInterval(report, reportMilliseconds);
  try {
    await worker.run();
  } finally {
    clearInterval(timer);
    around.offDuty.close();
    host.heartbeat.noteOffDuty(name, []);
    directory.forget(name, hostedSince);
  }
}

/** Records reports on the execution that is driven here at once; speaks about others as any worker does. */
function voiceOf({ recorder }: Host, name: string, here: Execution, others: Voice): Voice {
  const { held, lifetime, params, payload } = here;
  const { url: own } = params.data;
  // A fastmon agent elsewhere may publish its samples.
  const isAway = ({ slice: { file_url: url = '' } }: DeliveredSlice): boolean =>
    isElsewhere(url) && (own === undefined || !isBelow(url, own));
  const isOurs = ({ slice, storeId }: DeliveredSlice): boolean =>
    storeId === recorder.storeId && slice.execution_id === held.execution_id;
  const isResting = (): boolean =>
    recorder.views.resting().some(({ execution_id }) => execution_id === held.execution_id);
  const noted = async (draft: Parameters<Voice['begin']>[0] | Parameters<Voice['say']>[0]): Promise<boolean> => {
    const isRecorded = await record(draft, name, here);
    if (isRecorded && draft.msg_type !== 'slice_returned') recorder.resting.note(held.execution_id, draft);
    return isRecorded;
  };
  return {
    standing: (delivered) =>
      isOurs(delivered) ? standingOf(delivered, here, isResting()) : others.standing(delivered),
    overFor: (delivered) => (isOurs(delivered) ? lifetime.stopped : others.overFor(delivered)),
    workAtHand: (delivered) => (isOurs(delivered) && !isAway(delivered) ? payload : undefined),
    begin: (draft, delivered) => (isOurs(delivered) ? noted(draft) : others.begin(draft, delivered)),
    say: (draft, delivered) => (isOurs(delivered) ? noted(draft) : others.say(draft, delivered)),
  };
}

function standingOf({ slice }: DeliveredSlice, { queue }: Execution, isResting: boolean): ExecutionStanding {
  // Fast processing fails a slice that was given up after too many lost starts.
  if (queue.standing(slice.slice_filename, slice.attempt) !== 'open') return 'over';
  return queue.isOpen() && !isResting ? 'open' : 'paused';
}

/** Returns false if a slice may not start because a pause came in between. */
async function record(draft: Draft, sender: string, { execution, queue }: Execution): Promise<boolean> {
  let isWanted = true;
  const says = (): Draft[] => {
    // Checked inside the step, where nothing can come in between.
    isWanted = draft.msg_type !== 'slice_started' || queue.isOpen();
    return isWanted ? [draft] : [];
  };
  await execution.journal.step({ sender, tick: execution.clock.now(), says });
  return isWanted;
}
