import { PregonError } from '@pregon/protocol';

/**
 * Loads a package that only some users need, and which is not installed with this one.
 *
 * @param purpose what needs it, as the subject of the error: `a log on RabbitMQ`
 * @param load imports the package, by its literal name
 * @throws PregonError DRIVER_MISSING if it is not installed; whatever else importing it throws
 */
export async function loadDriver<T>(name: string, purpose: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (cause) {
    if (!isMissing(cause, name)) throw cause;
    throw new PregonError('DRIVER_MISSING', `${purpose} needs the package ${name}: npm install ${name}`, { cause });
  }
}

/** A package that is there, and lacks one of its own, is broken in another way. */
function isMissing(error: unknown, name: string): boolean {
  if (!(error instanceof Error) || !('code' in error)) return false;
  return error.code === 'ERR_MODULE_NOT_FOUND' && error.message.includes(`'${name}'`);
}
