import { PregonError } from '@pregon/protocol';

/**
 * Loads an optional package, which is not installed together with this one.
 *
 * @param purpose what needs the package, as the subject of the error message: `a log on RabbitMQ`
 * @param load imports the package by its literal name
 * @throws PregonError DRIVER_MISSING if the package is not installed; other errors of the import are thrown unchanged
 */
export async function loadDriver<T>(name: string, purpose: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (cause) {
    if (!isMissing(cause, name)) throw cause;
    throw new PregonError('DRIVER_MISSING', `${purpose} needs the package ${name}: npm install ${name}`, { cause });
  }
}

/**
 * True only if this package is missing. If a dependency of an installed package is missing, the error must name that
 * one.
 */
function isMissing(error: unknown, name: string): boolean {
  if (!(error instanceof Error) || !('code' in error)) return false;
  return error.code === 'ERR_MODULE_NOT_FOUND' && error.message.includes(`'${name}'`);
}
