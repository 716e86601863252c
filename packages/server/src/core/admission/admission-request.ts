import type { AdmissionRequest, EntranceName, Identity } from '../ports/admission.js';
import { ticketOf } from './url-tickets.js';

/** The part of a `node:http` request that admissions see. */
export interface HttpRequest {
  readonly method?: string | undefined;
  readonly url?: string | undefined;
  readonly httpVersion: string;
  readonly headers: AdmissionRequest['headers'];
  readonly socket: { readonly remoteAddress?: string | undefined };
}

/** Finds the address of the client: that of the socket or, behind a trusted proxy, the one that the proxy reports. */
export type AddressOf = (request: HttpRequest) => string;

/** The address of the socket; `unknown` if it has none: the client has left, or came over a Unix socket. */
export const socketAddress: AddressOf = ({ socket }) => socket.remoteAddress ?? 'unknown';

/** What an entrance knows beside the HTTP request. */
export interface AdmissionDetails {
  /** @default true */
  readonly isNew?: boolean;
  readonly token?: unknown;
}

export interface ViewDetails extends AdmissionDetails {
  /** The open connection of a client that shows another token. @default the client is not connected */
  readonly connection?: { readonly identity: Identity | undefined };
}

/** A view of a request for admissions. Nothing is copied, because most admissions read only one or two fields. */
export class RequestView implements AdmissionRequest {
  readonly #request: HttpRequest;
  readonly #addressOf: AddressOf;
  readonly entrance: EntranceName;
  readonly isNew: boolean;
  readonly isRenewal: boolean;
  readonly token: unknown;

  constructor(
    request: HttpRequest,
    addressOf: AddressOf,
    entrance: EntranceName,
    { isNew = true, token, connection }: ViewDetails,
  ) {
    this.#request = request;
    this.#addressOf = addressOf;
    this.entrance = entrance;
    this.isNew = isNew;
    this.isRenewal = connection?.identity !== undefined;
    this.token = token;
  }

  get method(): string {
    return this.#request.method ?? 'GET';
  }

  get url(): string {
    return this.#request.url ?? '/';
  }

  get httpVersion(): string {
    return this.#request.httpVersion;
  }

  get headers(): AdmissionRequest['headers'] {
    return this.#request.headers;
  }

  get ticket(): string | undefined {
    return ticketOf(this.#request);
  }

  get remoteAddress(): string {
    return this.#addressOf(this.#request);
  }
}
