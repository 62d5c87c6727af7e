import { tried } from '../lib/tried.ts';

/** Whether a host name or address is this machine's own, which nobody else can reach. */
export const isLoopback = (host: string): boolean =>
  ['localhost', '::1', '[::1]'].includes(host) || /^127(\.\d{1,3}){3}$/.test(host);

/** The host name in a `Host` header or an origin, without its port; undefined if the text is no address. */
export const hostOf = (text = ''): string | undefined =>
  tried(() => new URL(text.includes('://') ? text : `http://${text}`).hostname);
