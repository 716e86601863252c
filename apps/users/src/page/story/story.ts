import type { PregonEvent, ResetReason } from '@pregon/client';
import type { GatewayLink, GatewayProcess, LinkState } from '../link.js';
import { clockTime } from '../times.js';
import { ApplicationWatch } from './application.js';
import { Banner } from './banner.js';
import { type Dare, DareBox } from './dare.js';
import { type Facts, isConnected, isDown } from './facts.js';
import { Line } from './line.js';
import { catchingUpNotice, outageNotice, resetNotice, returnNotice, seamText } from './news.js';
import { OutageTracker } from './outage.js';
import { PaneAges } from './panes.js';
import { EventRate } from './rate.js';
import { StateLabel } from './state-label.js';

/** A shorter outage only changes the lamp and does not show the banner. */
const WORTH_TELLING_MS = 1_000;
/** Catching up that takes less time does not show the banner. */
const CATCHING_UP_MS = 400;
/** How often the page requests the facts about the gateway process. */
const ASK_EVERY_MS = 5_000;
const TICK_MS = 1_000;

export interface StoryHooks {
  /** How many users the table shows; undefined before the first snapshot. */
  users(): number | undefined;
  /** How many events the page holds, and the position up to which it has read the log. */
  log(): { readonly events: number; readonly position: string | undefined };
  /** Adds a line to the list of events that marks an outage. */
  seam(text: string): void;
}

/** The top of the page: the stations of an event from the database to this page, and which of them is down. */
export class Story {
  readonly #link: GatewayLink;
  readonly #hooks: StoryHooks;
  readonly #line = new Line();
  readonly #dare = new DareBox();
  readonly #ages = new PaneAges();
  readonly #label = new StateLabel();
  readonly #banner: Banner;
  readonly #application: ApplicationWatch;
  readonly #tracker = new OutageTracker();
  readonly #rate = new EventRate();
  #process: GatewayProcess | undefined;
  #hasBeenLive = false;
  #hasFailed = false;
  #outages = 0;
  #reset: ResetReason | undefined;
  /** The application's sequence when the page was last live, if no event had arrived yet. */
  #sequenceBefore: number | undefined;
  #lastStatusSequence: number | undefined;
  #telling: ReturnType<typeof setTimeout> | undefined;
  #isScheduled = false;

  constructor(link: GatewayLink, hooks: StoryHooks) {
    this.#link = link;
    this.#hooks = hooks;
    this.#banner = new Banner(() => link.connectNow());
    this.#application = new ApplicationWatch(() => this.#statusChanged());
    link.onState((state) => this.#stateChanged(state));
    void this.#application.ask();
    setInterval(() => this.update(), TICK_MS);
    setInterval(() => !document.hidden && void this.#askProcess(), ASK_EVERY_MS);
    this.update();
  }

  /** Must be called with each event of the log, in order. @param isLive whether it is new */
  received(event: PregonEvent, isLive: boolean): void {
    this.#tracker.received(event);
    if (isLive) {
      this.#rate.add(1, Date.now());
      this.#application.heard();
    }
    if (isLive && !this.#isScheduled) this.#line.spark();
    this.update();
  }

  /** Must be called when the log cannot continue from the position of the page. */
  reset(reason: ResetReason): void {
    this.#tracker.reset();
    this.#reset = reason;
    this.#sequenceBefore = undefined;
  }

  /** Shows the current facts in the next frame. */
  update(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    requestAnimationFrame(() => {
      this.#isScheduled = false;
      this.#show();
    });
  }

  #stateChanged(state: LinkState): void {
    if (state === 'online') this.#live();
    else if (state === 'catching-up') {
      void this.#askProcess();
      this.#tellIn(CATCHING_UP_MS);
    } else if (state !== 'connecting') this.#lost();
    this.#application.outage = state !== 'online' && state !== 'catching-up' && this.#hasFailed;
    // Show now, not in the next frame, because a hidden page has no frames.
    this.#show();
  }

  #live(): void {
    this.#hasBeenLive = true;
    clearTimeout(this.#telling);
    const { status, state } = this.#application;
    if (!this.#tracker.last && state === 'answers') this.#sequenceBefore = status?.sequence;
    const back = this.#tracker.back(Date.now());
    const reset = this.#reset;
    this.#reset = undefined;
    if (reset !== undefined) this.#banner.show(resetNotice(reset, back?.ms));
    else if (back && back.ms >= WORTH_TELLING_MS) {
      this.#hooks.seam(seamText(back, clockTime(Date.now())));
      this.#banner.show(returnNotice(back));
    } else if (this.#banner.kind !== 'good') this.#banner.hide();
    if (back) this.#outages++;
    void this.#askProcess();
    void this.#application.ask();
  }

  #lost(): void {
    this.#process = undefined;
    this.#hasFailed = true;
    if (this.#hasBeenLive) this.#tracker.lost(Date.now());
    const { since } = this.#tracker;
    this.#tellIn(since === undefined ? 0 : Math.max(0, since + WORTH_TELLING_MS - Date.now()));
  }

  /** Shows the banner after `ms`, if the state still holds then. */
  #tellIn(ms: number): void {
    clearTimeout(this.#telling);
    this.#telling = setTimeout(() => this.#show(), ms);
  }

  #statusChanged(): void {
    const sequence = this.#application.status?.sequence;
    const before = this.#lastStatusSequence;
    this.#lastStatusSequence = sequence;
    // Without a gateway, the application's status is the only source for the rate.
    if (!isConnected(this.#link) && sequence !== undefined && before !== undefined && sequence > before) {
      this.#rate.add(sequence - before, Date.now());
    }
    this.update();
  }

  async #askProcess(): Promise<void> {
    if (!isConnected(this.#link)) return;
    this.#process = await this.#link.askProcess();
    this.update();
  }

  get #waiting(): number | undefined {
    const { status, state } = this.#application;
    if (state !== 'answers' || !status || !this.#hasBeenLive) return undefined;
    const { last } = this.#tracker;
    const seen = last?.source === status.source ? last.sequence : last ? undefined : this.#sequenceBefore;
    return seen === undefined ? undefined : Math.max(0, status.sequence - seen);
  }

  #facts(): Facts {
    const { state, address, behind } = this.#link;
    const isAway = !isConnected({ state }) && this.#hasBeenLive;
    return {
      state,
      address,
      behind,
      hasBeenLive: this.#hasBeenLive,
      hasFailed: this.#hasFailed,
      lostAt: this.#tracker.since,
      outages: this.#outages,
      application: this.#application.state,
      status: this.#application.status,
      process: this.#process,
      users: this.#hooks.users(),
      ...this.#hooks.log(),
      sequence: this.#tracker.last?.sequence,
      rate: this.#rate.at(Date.now()),
      waiting: isAway ? this.#waiting : undefined,
    };
  }

  #show(): void {
    const facts = this.#facts();
    this.#label.show(facts);
    this.#line.show(facts);
    this.#dare.show(dareFor(facts));
    const isTold = this.#isWorthTelling(facts);
    this.#ages.show(facts, isTold && !isConnected(facts));
    if (!isTold) return;
    const { state, behind } = facts;
    if (isConnected({ state })) this.#banner.show(catchingUpNotice(behind));
    else this.#banner.show(outageNotice(facts, this.#link.reason, this.#link.retryAt));
  }

  #isWorthTelling({ state, hasBeenLive, lostAt }: Facts): boolean {
    if (state === 'online') return false;
    if (state === 'refused') return true;
    const ms = lostAt === undefined ? 0 : Date.now() - lostAt;
    if (state === 'catching-up') return this.#banner.kind === 'wait' || ms >= WORTH_TELLING_MS;
    return hasBeenLive ? ms >= WORTH_TELLING_MS : this.#hasFailed;
  }
}

function dareFor(facts: Facts): Dare {
  const { hasBeenLive, process, status, outages } = facts;
  const start = status?.gatewayCommand ?? 'npm run gateway';
  if (isDown(facts)) {
    return hasBeenLive
      ? { title: 'Start it again', command: start, hint: 'Or write on first: the log keeps it all.' }
      : { title: 'Start the gateway', command: start, hint: 'This page goes on by itself.' };
  }
  const command = process ? `kill -9 ${process.pid}` : undefined;
  if (outages > 0) return { title: 'Once more?', command, hint: 'It has a new process id now.' };
  return { title: 'Try to break it', command, hint: 'Kill the gateway, change some users, start it again.' };
}
