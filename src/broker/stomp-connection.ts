import { backoff } from '../lib/duration.ts';
import { brokerRefused, brokerUnreachable, SwfError } from '../lib/errors.ts';
import type { BrokerAddress } from './address.ts';
import type { BrokerConnection, BrokerSettings, Connect, ConnectHow, OnTrouble, Subscription } from './connection.ts';
import { subscribeHeaders, dialectOfServer, dialects } from './dialects.ts';
import { disconnect } from './stomp-frames.ts';
import { createSession, requireCopies, type StompSession } from './stomp-session.ts';
import { surviveHostileHeaders } from './stompit-repairs.ts';

const pauses = { first: 500, longest: 30_000 };
/** How often a connection tries again while another holds its client id, in milliseconds. */
const standbyPause = 5000;
/**
 * A session that lasted this long, and longer than the pause before it, makes the next pause short again: a
 * bad line is not a bad broker.
 */
const steadyMilliseconds = 5000;

/**
 * A STOMP broker connection that reconnects.
 *
 * - One session at a time; every callback first checks that its session is current, and `down` is the only way out.
 * - Every send settles: at the broker's receipt, at its refusal, or at the end of its session.
 * - Nothing is queued here: the sender keeps messages without a receipt (the log is the outbox) and limits those in flight.
 *
 * stompit 1.0.0 has bugs that crash the process or hang forever. Each is handled where it occurs, with the
 * reason beside it.
 */
export const connectByStomp: Connect = (settings, onTrouble) => {
  surviveHostileHeaders();
  const subscriptions = new Map<string, Subscription>();
  /** The probes whether topics are queues. */
  let asking: Promise<void> = Promise.resolve();

  async function subscribe(on: StompSession, subscription: Subscription) {
    const { destination, copiesOnly = false } = subscription;
    // One at a time: each probe opens its own connection, and a broker may allow few.
    if (copiesOnly) {
      const asked = asking.then(() => requireCopies(settings, on.address, sessions.dialect(), destination));
      asking = asked.catch(() => {});
      await asked;
    }
    if (sessions.current() === on) await on.subscribe(subscription);
  }

  const sessions = createSessions(settings, onTrouble, {
    current: (id) => subscriptions.get(id),
    prepare: (on) => Promise.all([...subscriptions.values()].map((subscription) => subscribe(on, subscription))),
  });
  const up = () => {
    const on = sessions.current();
    if (on?.isUp() !== true) throw brokerUnreachable('not connected to the broker');
    return on;
  };
  const isUp = () => sessions.current()?.isUp() === true;
  return {
    connect: sessions.connect,
    isUp,
    hasSelectors: () => sessions.dialect().hasSelectors,
    onUp: sessions.onUp,
    subscribe(subscription) {
      subscriptions.set(subscription.id, subscription);
      const on = sessions.current();
      if (on?.isUp() !== true) return;
      // A refused subscription counts as a refused session: the missing messages would look like silence.
      subscribe(on, subscription).catch((error: unknown) => sessions.down(on, error as SwfError));
    },
    unsubscribe(id) {
      subscriptions.delete(id);
      if (isUp()) up().unsubscribe(id);
    },
    async forget(durable) {
      const on = up();
      const dialect = sessions.dialect();
      const headers = { ...subscribeHeaders(dialect, durable), id: 'durable', ack: 'client-individual' };
      try {
        for (const frame of dialect.forget(durable.durableName, headers))
          await on.requests.ask(frame.command, frame.headers);
        return true;
      } catch (error) {
        if (error instanceof SwfError && dialect.isNoSuchSubscription(error.message)) return false;
        throw error;
      }
    },
    async send({ destination, headers, body, expirySeconds }) {
      const on = up();
      const dialect = sessions.dialect();
      const place = dialect.place(destination, headers['namespace']);
      const expiry = expirySeconds === undefined ? {} : dialect.expiry(expirySeconds);
      await on.requests.ask('SEND', { ...headers, ...place.send, ...expiry, destination: place.destination }, body);
    },
    close: sessions.close,
  };
};

interface Subscriptions {
  current: (id: string) => Subscription | undefined;
  /** Makes all subscriptions in a new session. */
  prepare: (on: StompSession) => Promise<unknown>;
}

/** One session after another, with the servers of a failover list in turn. */
function createSessions(settings: BrokerSettings, onTrouble: OnTrouble, { current, prepare }: Subscriptions) {
  const { servers } = settings;
  const upCallbacks: (() => void)[] = [];
  const retries = createRetries(settings, onTrouble);
  /** As configured, or as the session's broker identifies itself. */
  let dialect = dialects[settings.dialect ?? 'activemq'];
  let session: StompSession | undefined;
  let attempts = 0;
  let retryTimer: NodeJS.Timeout | undefined;
  let isClosed = false;
  let first: (Required<ConnectHow> & { resolve: () => void; reject: (error: SwfError) => void }) | undefined;

  function open() {
    const address = servers[attempts % servers.length] as BrokerAddress;
    attempts += 1;
    const opened: StompSession = createSession(settings, address, {
      dialectOf(server) {
        if (settings.dialect === undefined) dialect = dialectOfServer(server);
        return dialect;
      },
      current,
      onConnected: () => void comeUp(opened),
      onLost: (error) => down(opened, error),
    });
    session = opened;
    opened.open();
  }

  async function comeUp(on: StompSession) {
    if (session !== on) return;
    try {
      await prepare(on);
    } catch (error) {
      // If the session went down meanwhile, `down` has arranged the next one.
      return down(on, error as SwfError);
    }
    if (session !== on) return;
    on.comeUp();
    retries.noteUp();
    first?.resolve();
    first = undefined;
    for (const callback of upCallbacks) callback();
  }

  /** The only way out of a session. `reason` undefined: we ended it ourselves. */
  function down(over: StompSession, reason: SwfError | undefined) {
    if (session !== over) return;
    session = undefined;
    over.end(reason ?? brokerUnreachable('the connection to the broker was closed'));
    if (isClosed || reason === undefined) return;
    const isFirstRound = attempts < servers.length;
    const isHeldElsewhere = dialect.isHeldElsewhere(reason.message);
    // Whether to give up waiting for the first session.
    const isRefused = first?.mayBeRefused === false && reason.code === 'BROKER_REFUSED' && !isHeldElsewhere;
    if (first !== undefined && !isFirstRound && (first.once || isRefused)) {
      isClosed = true;
      return first.reject(reason);
    }
    const rest = retries.pauseAfter(over, reason, { isHeldElsewhere, isFirstRound });
    retryTimer = setTimeout(open, first !== undefined && isFirstRound && !isHeldElsewhere ? 0 : rest);
  }

  return {
    current: () => session,
    dialect: () => dialect,
    down,
    onUp: (callback: () => void) => void upCallbacks.push(callback),
    connect: ({ once, mayBeRefused = true }: ConnectHow) =>
      new Promise<void>((resolve, reject) => {
        first = { resolve, reject, once, mayBeRefused };
        open();
      }),
    async close() {
      isClosed = true;
      clearTimeout(retryTimer);
      const last = session;
      if (last?.isUp() === true) await disconnect(last.client());
      if (last !== undefined) down(last, undefined);
    },
  };
}

/** Reports troubles, and how long to pause after each. */
function createRetries({ clientId = '' }: BrokerSettings, onTrouble: OnTrouble) {
  /** Failed tries since the last steady session, except those of the first round. */
  let failures = 0;
  let standsBy = false;
  return {
    noteUp() {
      standsBy = false;
    },
    /** Reports the trouble and returns the pause before the next try, in milliseconds. */
    pauseAfter(over: StompSession, reason: SwfError, is: { isHeldElsewhere: boolean; isFirstRound: boolean }) {
      if (is.isHeldElsewhere) {
        if (!standsBy) onTrouble(standingBy(clientId));
        standsBy = true;
        return standbyPause;
      }
      onTrouble(reason, over.aliveAt());
      if (over.upMilliseconds() > Math.max(steadyMilliseconds, backoff(failures + 1, pauses))) failures = 0;
      const rest = backoff(failures + 1, pauses) * (0.75 + Math.random() / 2);
      if (!is.isFirstRound) failures += 1;
      return rest;
    },
  };
}

const standingBy = (name: string) =>
  brokerRefused(`another process is already subscribed as ${name}; this one waits and takes over when it ends`);
