import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import { messageOf, PregonError } from '@pregon/protocol';
import type { RabbitAddress } from './address.js';

export type Certificates = RabbitAddress['certificates'];

/** The contents of the certificate files. */
export type CertificateTexts = { readonly [name in keyof Certificates]?: Buffer };

const PARAMETERS = { ca: 'cacertfile', cert: 'certfile', key: 'keyfile' } as const;

/**
 * Reads the certificate files. It is called for each connection, so that renewed certificates are used without a
 * restart.
 *
 * @throws PregonError CONFIG_INVALID, which names the parameter
 */
export function readCertificates(certificates: Certificates): CertificateTexts {
  return { ...read(certificates, 'ca'), ...read(certificates, 'cert'), ...read(certificates, 'key') };
}

/**
 * Checks the certificate files. Called once before the first connection, because retries cannot help if a file is
 * missing or invalid.
 *
 * @throws PregonError CONFIG_INVALID, which names the parameter
 */
export function assertCertificates(certificates: Certificates): void {
  const { ca, cert, key } = readCertificates(certificates);
  // A secure context accepts invalid authorities and then trusts none, so the authority is parsed first.
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
