/** Replaces a password. */
const HIDDEN = '***';

/** A RabbitMQ address without the default user and password, guest:guest. */
export function withoutGuest(address: string): string {
  return address.replace(/^(amqps?:\/\/)guest:guest@/i, '$1');
}

/** An address that is safe to show: its password is hidden, also in the query. */
export function hidePassword(address: string): string {
  if (!URL.canParse(address)) return address.replace(/\/\/.*@/s, `//${HIDDEN}@`);
  const url = new URL(address);
  const secrets = [...url.searchParams.keys()].filter((name) => /pass/i.test(name));
  if (url.password === '' && secrets.length === 0) return address;
  if (url.password !== '') url.password = HIDDEN;
  for (const name of secrets) url.searchParams.set(name, HIDDEN);
  return url.href;
}
