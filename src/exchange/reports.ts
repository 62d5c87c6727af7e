import type { Delivery, Outgoing, Subscription } from '../broker/connection.ts';
import { type Telemetry, telemetryOf } from '../messages/telemetry.ts';
import { decodedOf } from './decoding.ts';

/** Telemetry is soon old news, but another host's clock may be off by minutes and must not silence it. */
const telemetrySeconds = 3600;

/** A report as it is sent. @param isSerious it survives the broker */
export const reportOf = (destination: string, report: Telemetry, isSerious = false): Outgoing => ({
  destination,
  headers: {
    'content-type': 'application/json',
    msg_type: report.msg_type,
    namespace: report.namespace,
    vo: 'eic',
    ...(isSerious ? { persistent: 'true' } : {}),
  },
  body: JSON.stringify(report),
  expirySeconds: telemetrySeconds,
});

/** A subscription to the reports of a namespace. Calls `hear` with undefined for a message that is no report. */
export const reportsIn = (
  namespace: string,
  destination: string,
  hear: (report: Telemetry | undefined, delivery: Delivery) => void,
  id = 'telemetry',
): Subscription => ({
  id,
  destination,
  ack: 'auto',
  only: () => ({ namespace }),
  onMessage: (delivery) => hear(telemetryOf(decodedOf(delivery)), delivery),
});
