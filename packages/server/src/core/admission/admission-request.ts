import type { AdmissionRequest, EntranceName } from '../ports/admission.js';

/** The part of a `node:http` request that admissions see. */
export interface HttpRequest {
  readonly method?: string | undefined;
  readonly url?: string | undefined;
  readonly headers: AdmissionRequest['headers'];
  readonly socket: { readonly remoteAddress?: string | undefined };
}

/** What an entrance knows beside the HTTP request. */
export interface AdmissionDetails {
  /** @default true */
  readonly isNew?: boolean;
  readonly token?: unknown;
}

/** A view of a request for admissions. Nothing is copied, because most admissions read only one or two fields. */
export function admissionRequest(
  request: HttpRequest,
  entrance: EntranceName,
  more: AdmissionDetails = {},
): AdmissionRequest {
  return new RequestView(request, entrance, more);
}

class RequestView implements AdmissionRequest {
  readonly #request: HttpRequest;
  readonly entrance: EntranceName;
  readonly isNew: boolean;
  readonly token: unknown;

  constructor(request: HttpRequest, entrance: EntranceName, { isNew = true, token }: AdmissionDetails) {
    this.#request = request;
    this.entrance = entrance;
    this.isNew = isNew;
    this.token = token;
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
