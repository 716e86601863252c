import type { Admission, AdmissionRequest, Decision, Identity } from '../ports/admission.js';

/**
 * What an admission has to ask somebody else: the application, or another server. It is asked only if the client has a
 * place among those that wait, so the limits on waiting clients limit the questions as well.
 */
export class Question {
  /**
   * Asks, and returns the answer.
   *
   * @param isNeeded false if the client has left, or has waited for too long: a question that waits for its turn need
   *   not be asked then
   */
  readonly ask: (isNeeded: () => boolean) => Decision | Promise<Decision>;

  constructor(ask: Question['ask']) {
    this.ask = ask;
  }
}

/** An admission that may also answer with a question. */
export interface AskingAdmission extends Pick<Admission, 'name'> {
  admit(request: AdmissionRequest, identity: Identity | undefined): Decision | Promise<Decision> | Question;
}

/**
 * Makes an admission of the application one whose new clients need a place: what it does for each client is not known.
 * The requests of a session that is under way are asked about in any case: they must not be refused because others wait.
 */
export function askedWithPlace(admission: Admission): AskingAdmission {
  return {
    name: admission.name,
    admit(request, identity) {
      const ask = () => admission.admit(request, identity);
      return request.isNew ? new Question(ask) : ask();
    },
  };
}
