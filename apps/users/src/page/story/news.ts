import type { ResetReason } from '@pregon/client';
import { counted, duration, figure } from '../words.js';
import type { Notice } from './banner.js';
import type { Facts } from './facts.js';
import type { Return } from './outage.js';

const RESETS: Readonly<Record<ResetReason, string>> = {
  truncated: 'This page was away for longer than events are kept',
  replaced: 'The log was replaced by another one',
  rights: 'The rights of this page have changed',
};

/** The notice during an outage of the gateway. */
export function outageNotice(facts: Facts, reason: string, retryAt: number | undefined): Notice {
  const { state, hasBeenLive, waiting } = facts;
  if (state === 'refused') {
    return { kind: 'bad', title: 'The gateway refused this page', text: reason, retry: 'Try again' };
  }
  const meanwhile = !hasBeenLive
    ? 'The page fills itself as soon as the gateway answers.'
    : waiting
      ? `Nothing is lost: ${counted(waiting, 'event')} ${waiting === 1 ? 'waits' : 'wait'} in the log.`
      : 'Nothing is lost: what is committed meanwhile waits in the log.';
  return {
    kind: 'bad',
    title: state === 'offline' ? 'There is no network' : 'The gateway cannot be reached',
    text: `${reason} ${meanwhile}`.trim(),
    retryAt: state === 'connecting' ? 'now' : retryAt,
    retry: 'Retry now',
  };
}

export function catchingUpNotice(behind: number): Notice {
  const title = behind > 0 ? `Catching up: ${figure(behind)} to go` : 'Catching up';
  return { kind: 'wait', title, text: 'The gateway is back, and sends the events of the outage in order.' };
}

/**
 * The notice that the log could not continue from the position of the page.
 *
 * @param ms the length of the outage in milliseconds, if there was one
 */
export function resetNotice(reason: ResetReason, ms: number | undefined): Notice {
  const title = `${ms === undefined ? '' : `Back after ${duration(ms)}: `}everything was read anew`;
  return { kind: 'wait', title: capital(title), text: `${RESETS[reason]}.`, canGo: true };
}

/** The notice when the page is live again. */
export function returnNotice(back: Return): Notice {
  const after = `Back after ${duration(back.ms)}`;
  const { caughtUp, proven, from, to } = back;
  if (caughtUp === 0) {
    return { kind: 'good', title: `${after}: no events meanwhile`, text: 'Nothing skipped since your position.' };
  }
  const came = `${counted(caughtUp, 'event')} caught up`;
  if (!proven) {
    const text =
      'The gateway went on from your position. Not all events have sequence numbers, which would prove more.';
    return { kind: 'good', title: `${after}: ${came}, nothing skipped since your position`, text };
  }
  const which = caughtUp === 1 ? `Event ${figure(to)}` : `Events ${figure(from + 1)} to ${figure(to)}, each once`;
  const text = `${which}, in order. The table did not have to be read again.`;
  return { kind: 'good', title: `${after}: ${came}, 0 missed`, text };
}

/** The line in the log that marks an outage. */
export function seamText({ caughtUp, proven }: Return, at: string): string {
  const events =
    caughtUp === 0 ? 'no events meanwhile' : `${counted(caughtUp, 'event')} below${proven ? ', in order' : ''}`;
  return `Online again at ${at}: ${events}`;
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** The line in the log above the entries that were read again. */
export function resetText(reason: ResetReason): string {
  return `${RESETS[reason]}. What follows was read anew.`;
}
