import type { EphemeralMember } from '../../core/ports/ephemeral.js';
import { Inbox } from '../inbox.js';
import type { EphemeralLog, EphemeralSubject } from './ephemeral-kind.js';

/** A member, and all texts that it received. */
export interface Member extends EphemeralMember {
  readonly heard: Inbox<string>;
}

/** Joins, and records the received texts. */
export async function join(log: EphemeralLog): Promise<Member> {
  const heard = new Inbox<string>();
  const member = await log.ephemeral.join((text) => heard.push(text));
  return {
    heard,
    send: (text) => member.send(text),
    leave: () => member.leave(),
    get dropped() {
      return member.dropped;
    },
  };
}

/** Opens a log that is disposed of after the test. */
export type Open = () => Promise<Required<EphemeralSubject>>;
