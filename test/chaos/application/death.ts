/** The instants at which a kill is most revealing: between two steps that must be atomic. */
export const DEATH_PLACES = ['before append', 'after commit', 'after append', 'before commit'] as const;

export type DeathPlace = (typeof DEATH_PLACES)[number];

/** Ends the process, as `kill -9` does, when it next passes the planned place. */
export class Death {
  #planned: DeathPlace | undefined;

  plan(place: DeathPlace): void {
    this.#planned = place;
  }

  at(place: DeathPlace): void {
    if (place === this.#planned) process.kill(process.pid, 'SIGKILL');
  }
}
