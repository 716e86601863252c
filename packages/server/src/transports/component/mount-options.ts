import type { BlockList } from 'node:net';

/** Addresses and subnets, `192.0.2.7` and `2001:db8::/32`; or a list that is kept elsewhere, to which more may be added at any time. */
export type BlockedAddresses = readonly string[] | BlockList;

export interface MountOptions {
  /** The origins whose pages may connect, as browsers send them. @default those of the server */
  readonly allowedOrigins?: readonly string[];
  /** Who may not connect: addresses, subnets, or a `net.BlockList`, which may grow later. @default [] */
  readonly blockedAddresses?: BlockedAddresses;
  /** Those that the component speaks, the best first. @default [] */
  readonly subprotocols?: readonly string[];
  /**
   * From how many bytes on that the client has not taken the next `send` closes it, with 4002; at least what the system's own buffer for a
   * socket holds, some ten KiB. One message may be larger. @default 1048576 (1 MiB)
   */
  readonly maxBufferedBytes?: number;
}
