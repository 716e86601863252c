/** The headers in which a proxy can report the address of its client. */
export type ProxyHeader = 'x-forwarded-for' | 'forwarded';

/** Where the addresses of clients come from, and for which of them there are no limits. */
export interface ClientAddressOptions {
  /**
   * The addresses and subnets of the proxies in front of the gateway. If a request comes from one of them, its client
   * has the address that `proxyHeader` reports: the last one there that is not itself a trusted proxy.
   *
   * @default []: no header is believed, and a client has the address of its socket
   * @example ['127.0.0.1', '10.0.0.0/8', '2001:db8::/32']
   */
  readonly trustedProxies?: readonly string[];
  /**
   * The header in which the proxies report the address of the client; each of them must write this one. The other
   * header is ignored, because most proxies pass it on as the client sent it.
   *
   * @default 'x-forwarded-for'
   */
  readonly proxyHeader?: ProxyHeader;
  /**
   * The addresses and subnets to which the limits per address do not apply. The default is for proxies that are not in
   * `trustedProxies`, for clients on this machine, and for load tools. A client without an address, as on a Unix socket,
   * is always exempt.
   *
   * @default loopback, private and link-local addresses: 127.0.0.0/8, 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16,
   *   169.254.0.0/16, ::1, fc00::/7 and fe80::/10
   */
  readonly exemptAddresses?: readonly string[];
}
