import type { ComponentChildren, ComponentType } from 'preact';
import { useEffect, useState } from 'preact/hooks';

import { backoff } from '../../lib/duration.ts';
import { age, proposedIn, refusalForPeople, time } from '../shared/format.ts';
import { longestPause, type Polled, useNow } from '../state/hooks.ts';
import { type CallError, world } from '../transport/call.ts';
import { Button, sending } from './card.tsx';
import { Linked } from './linked.tsx';
import { Icon } from './pill.tsx';

interface FaultBannerProps {
  fault: CallError | undefined;
  /** When the shown answer arrived, in milliseconds since 1970; absent if no answer is shown. */
  at?: number | undefined;
  /** Text before the message: which part of the page has no answer. */
  about?: string;
}

/** Says why there is no new answer, and what to do. The previous picture stays. */
export function FaultBanner({ fault, at = 0, about = '' }: FaultBannerProps) {
  const now = useNow();
  if (fault === undefined) return null;
  if (fault.fault === 'unauthorised') return <Login words={fault.message} onToken={(token) => world.login?.(token)} />;
  const since = at === 0 ? '' : ` What you see is from ${time(at)}, ${age((now - at) / 1000)}.`;
  return (
    <p class="banner bad">
      <strong role="alert">
        <Icon name="alert" /> {about}
        {fault.fault === 'disconnected' ? (
          'The server is not answering.'
        ) : (
          <Linked text={refusalForPeople(fault.message)} ids={proposedIn(fault.message)} />
        )}
      </strong>
      {fault.fault === 'disconnected' ? ` Retrying.${since}` : since}
    </p>
  );
}

/** Why there is no new picture, if the server refused it. Another banner reports a server that does not answer. */
export const Refused = ({ fault, at }: { fault: CallError | undefined; at: number }) =>
  fault?.fault === 'refused' ? <FaultBanner fault={fault} at={at} /> : null;

function Login({ words, onToken }: { words: string; onToken: (token: string) => void }) {
  const [token, setToken] = useState('');
  const login = () => {
    onToken(token.trim());
    dispatchEvent(new Event('swf-again'));
  };
  return (
    <form class="banner" onSubmit={sending(login)}>
      <label>
        This server requires a token{' '}
        <input
          type="password"
          autocomplete="off"
          value={token}
          onInput={(event) => setToken(event.currentTarget.value)}
        />
      </label>{' '}
      <button type="submit">continue</button>
      <p class="small">{words} The page keeps it in this tab until the tab is closed.</p>
    </form>
  );
}

/** Grey placeholder bars. */
export const Skeleton = () => (
  <div class="skeleton" role="status" aria-label="loading">
    <div />
    <div />
    <div />
  </div>
);

/** Stands in for an execution whose first answer has not arrived. */
export const Unanswered = ({ id, fault }: { id: string; fault: CallError | undefined }) => (
  <div class="card">
    <h1>{id}</h1>
    {fault === undefined ? <Skeleton /> : <FaultBanner fault={fault} />}
  </div>
);

/**
 * A part of the page that shows an answer; until the answer arrives, it shows a placeholder, or the reason why
 * there is no answer.
 */
export const Answered = <T,>({
  polled: { answer, fault, at },
  children,
}: {
  polled: Partial<Polled<T>>;
  children: (answer: T) => ComponentChildren;
}) => (
  <>
    <FaultBanner fault={fault} at={at} />
    {answer !== undefined ? children(answer) : fault === undefined && <Skeleton />}
  </>
);

/**
 * A part of the page whose code loads when it is first shown. A server sends it as a separate file; the App
 * and a report contain all parts.
 * @param isQuiet whether to show nothing until then
 */
export const lazy =
  <Props extends object>(load: () => Promise<ComponentType<Props>>, isQuiet = false): ComponentType<Props> =>
  (props) => {
    // A component is a function, which `useState` would call as an updater, so wrap it in an object.
    const [{ Part, failures = 0 }, setState] = useState<{ Part?: ComponentType<Props>; failures?: number }>({});
    useEffect(() => {
      const fetch = (): void =>
        void load().then(
          (fetched) => setState({ Part: fetched }),
          () => setState({ failures: failures + 1 }),
        );
      if (failures === 0) return fetch();
      const timer = setTimeout(fetch, backoff(failures, { first: 250, longest: longestPause }));
      return () => clearTimeout(timer);
    }, [failures]);
    if (Part !== undefined) return <Part {...props} />;
    // A single failure may be due to a network change rather than to the server.
    if (failures < 2) return isQuiet ? null : <Skeleton />;
    return (
      <p class="banner bad">
        <strong role="alert">
          <Icon name="alert" /> This part of the page cannot be loaded.
        </strong>{' '}
        The server is unreachable, or has been upgraded.{' '}
        <Button onClick={() => location.reload()}>reload the page</Button>
      </p>
    );
  };
