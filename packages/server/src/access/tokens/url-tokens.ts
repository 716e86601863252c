import type { Admission, AdmissionRequest, Refusal } from '../../core/ports/admission.js';
import { hasTokenInUrl } from './presented-token.js';
import { REFUSED, toRefusal } from './token-refusal.js';

/**
 * Refuses a request with a token in its URL, where logs keep it, whatever else the request has. It is asked before
 * anything else sees the URL.
 */
export class UrlTokens implements Admission {
  readonly name = 'tokens in URLs';

  admit({ url }: Pick<AdmissionRequest, 'url'>): Refusal | undefined {
    return hasTokenInUrl(url) ? toRefusal(REFUSED.url) : undefined;
  }
}
