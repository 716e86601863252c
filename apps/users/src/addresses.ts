/** Stands in the place of a password. */
const HIDDEN = '***';

/** An address of RabbitMQ without the user and password that are meant where none are named. */
export function withoutGuest(address: string): string {
  return address.replace(/^(amqps?:\/\/)guest:guest@/i, '$1');
}

/** An address as it may be shown to people: the same without its password, in whatever place that stands. */
export function hidePassword(address: string): string {
  if (!URL.canParse(address)) return address.replace(/\/\/.*@/s, `//${HIDDEN}@`);
  const url = new URL(address);
  const secrets = [...url.searchParams.keys()].filter((name) => /pass/i.test(name));
  if (url.password === '' && secrets.length === 0) return address;
  if (url.password !== '') url.password = HIDDEN;
  for (const name of secrets) url.searchParams.set(name, HIDDEN);
  return url.href;
}
