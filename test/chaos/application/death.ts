/** Instants at which a kill tells the most: between two things that must become one. */
export const DEATH_PLACES = ['before append', 'after commit', 'after append', 'before commit'] as const;

export type DeathPlace = (typeof DEATH_PLACES)[number];

/** Ends the process, as `kill -9` does, at the next pass of a place that was planned. */
export class Death {
  #planned: DeathPlace | undefined;

  plan(place: DeathPlace): void {
    this.#planned = place;
  }

  at(place: DeathPlace): void {
    if (place === this.#planned) process.kill(process.pid, 'SIGKILL');
  }
}
