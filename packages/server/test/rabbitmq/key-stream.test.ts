import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { afterTest } from '../../../../test/support/cleanup.js';
import { numbered } from '../../../../test/support/log/events.js';
import { createVirtualHost, describeWithBroker } from '../../../../test/support/rabbitmq.js';
import { openRabbitLog } from '../../src/logs/rabbitmq/rabbitmq-log.js';

const run = promisify(execFile);

/** A virtual host, and a user with these permissions on it; both are deleted after the test. */
async function createUser(permissions: { configure: string; write: string; read: string }) {
  const { url, drop } = await createVirtualHost();
  afterTest(drop);
  const vhost = new URL(url).pathname.slice(1);
  const user = `${vhost}-user`;
  await run('rabbitmqctl', ['add_user', user, 'password']);
  afterTest(async () => void (await run('rabbitmqctl', ['delete_user', user])));
  const { configure, write, read } = permissions;
  await run('rabbitmqctl', ['set_permissions', '-p', vhost, user, configure, write, read]);
  const theirs = new URL(url);
  theirs.username = user;
  theirs.password = 'password';
  return { url, theirs: theirs.href };
}

async function openLog(url: string) {
  const log = await openRabbitLog(url, { stream: 'log', exchanges: ['events'], onWarning: () => {} });
  afterTest(() => log.close());
  return log;
}

describeWithBroker('the secret of a log on RabbitMQ', () => {
  it('[fault B3] does not require an application that only appends to have permissions on the stream of keys', async () => {
    const { url, theirs } = await createUser({ configure: '^$', write: '^(events|amq\\.default)$', read: '^log$' });
    await openLog(url);
    const log = await openLog(theirs);
    expect(await log.append([numbered(1, { exchange: 'events' })])).toHaveLength(1);
  });

  it('[fault B3] causes an error that names the missing permission if the stream of keys cannot be created', async () => {
    const { url, theirs } = await createUser({ configure: '^$', write: '^(events|amq\\.default)$', read: '^log$' });
    await openLog(url);
    const log = await openLog(theirs);
    await expect(log.secret()).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringMatching(/"log\.keys" does not exist.*configure, write and read log\.keys.*"secret:"/),
    });
  });

  it('[fault B3] causes an error that names the missing permission if the stream of keys cannot be read', async () => {
    const { url, theirs } = await createUser({ configure: '^$', write: '^(events|amq\\.default)$', read: '^log$' });
    await (await openLog(url)).secret();
    const log = await openLog(theirs);
    await expect(log.secret()).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringMatching(/configure, write and read log\.keys/),
    });
  });
});
