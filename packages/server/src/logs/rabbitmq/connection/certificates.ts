import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import { messageOf, PregonError } from '@pregon/protocol';
import type { RabbitAddress } from './address.js';

export type Certificates = RabbitAddress['certificates'];

/** What is in the files. */
export type CertificateTexts = { readonly [name in keyof Certificates]?: Buffer };

const PARAMETERS = { ca: 'cacertfile', cert: 'certfile', key: 'keyfile' } as const;

/**
 * Reads the files. Done again for each connection, so that renewed certificates are used without a restart.
 *
 * @throws PregonError CONFIG_INVALID, which names the parameter
 */
export function readCertificates(certificates: Certificates): CertificateTexts {
  return { ...read(certificates, 'ca'), ...read(certificates, 'cert'), ...read(certificates, 'key') };
}

/**
 * To be called once before the first connection: no waiting would mend a file that is not there, or holds something else.
 *
 * @throws PregonError CONFIG_INVALID, which names the parameter
 */
export function assertCertificates(certificates: Certificates): void {
  const { ca, cert, key } = readCertificates(certificates);
  // A context takes authorities that are none, and trusts nobody.
  if (ca) assertUsable('cacertfile', () => new X509Certificate(ca));
  if (cert) assertUsable('certfile', () => createSecureContext({ cert }));
  if (key) assertUsable('keyfile', () => createSecureContext({ key }));
  if (cert && key) assertUsable('keyfile', () => createSecureContext({ cert, key }));
}

function read(certificates: Certificates, name: keyof Certificates): CertificateTexts {
  const path = certificates[name];
  if (path === undefined) return {};
  try {
    return { [name]: readFileSync(path) };
  } catch (cause) {
    throw invalid(PARAMETERS[name], 'the file cannot be read', cause);
  }
}

function assertUsable(parameter: string, use: () => unknown): void {
  try {
    use();
  } catch (cause) {
    throw invalid(parameter, 'the file cannot be used', cause);
  }
}

function invalid(parameter: string, what: string, cause: unknown): PregonError {
  const why = messageOf(cause);
  return new PregonError('CONFIG_INVALID', `the address of RabbitMQ is not valid: ${parameter}: ${what}: ${why}`, {
    cause,
  });
}
