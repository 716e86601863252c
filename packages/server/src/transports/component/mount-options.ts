import type { BlockList } from 'node:net';

/**
 * Addresses and subnets, `192.0.2.7` and `2001:db8::/32`; or a `net.BlockList`, to which entries may be added at any
 * time.
 */
export type BlockedAddresses = readonly string[] | BlockList;

export interface MountOptions {
  /**
   * Who may use the component: every client whose origin is allowed (`public`), clients with an identity
   * (`authenticated`, which needs `auth`), or all, because the component itself decides (`application`).
   * @default with `auth`, it is closed; without, `access` of the gateway applies
   */
  readonly access?: 'public' | 'authenticated' | 'application';
  /** The origins whose pages may connect, as browsers send them. @default the origins that the server allows */
  readonly allowedOrigins?: readonly string[];
  /** Clients that may not connect: addresses, subnets, or a `net.BlockList`, which may grow later. @default [] */
  readonly blockedAddresses?: BlockedAddresses;
  /** The supported subprotocols, in order of preference. @default [] */
  readonly subprotocols?: readonly string[];
  /**
   * If more than this many bytes wait for the client, the next `send` closes the connection with 4002. The effective
   * minimum is the size of the stream's own buffer, a few tens of KiB. A single message may be larger.
   * @default 1048576 (1 MiB)
   */
  readonly maxBufferedBytes?: number;
}
