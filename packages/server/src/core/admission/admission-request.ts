import type { AdmissionRequest, EntranceName } from '../ports/admission.js';

/** The part of a `node:http` request that admissions see. */
export interface HttpRequest {
  readonly method?: string | undefined;
  readonly url?: string | undefined;
  readonly headers: AdmissionRequest['headers'];
  readonly socket: { readonly remoteAddress?: string | undefined };
}

/** A view of a request for admissions. Nothing is copied, because most admissions read only one or two fields. */
export function admissionRequest(request: HttpRequest, entrance: EntranceName, isNew = true): AdmissionRequest {
  return new RequestView(request, entrance, isNew);
}

class RequestView implements AdmissionRequest {
  readonly #request: HttpRequest;
  readonly entrance: EntranceName;
  readonly isNew: boolean;

  constructor(request: HttpRequest, entrance: EntranceName, isNew: boolean) {
    this.#request = request;
    this.entrance = entrance;
    this.isNew = isNew;
  }

  get method(): string {
    return this.#request.method ?? 'GET';
  }

  get url(): string {
    return this.#request.url ?? '/';
  }

  get headers(): AdmissionRequest['headers'] {
    return this.#request.headers;
  }

  get remoteAddress(): string {
    return this.#request.socket.remoteAddress ?? 'unknown';
  }
}
