import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { afterTest, temporaryFolder } from '../../../test/support/cleanup.js';
import { SocketIoClient } from '../../../test/support/gateway/socketio-client.js';
import { startProcess } from '../../../test/support/processes.js';
import { type NestVersion, Workspace } from './support/compile.js';
import { generate } from './support/generate.js';

/**
 * The only file that is not generated. The generator can register the gateway as a provider only if TypeScript has its
 * old API. The generated application is CommonJS, as applications were before Nest 12.
 */
const MAIN = `
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { PregonIoAdapter, PregonModule } from '@pregon/nest';
import { AppModule } from './app.module';
import { ChatGateway } from './chat/chat.gateway';

@Module({
  imports: [PregonModule.forRoot({ log: process.argv[2] ?? '', routes: { events: { path: '/events' } } }), AppModule],
  providers: [ChatGateway],
})
class RootModule {}

async function main() {
  const app = await NestFactory.create(RootModule);
  app.useWebSocketAdapter(new PregonIoAdapter(app));
  app.enableShutdownHooks();
  await app.listen(0, '127.0.0.1');
  console.log('listening on', await app.getUrl());
}

void main();
`;

/** The files that `nest new` and `nest generate gateway` write. */
export function generatorSuite(version: NestVersion): void {
  describe('the generator', () => {
    it('[002-09] generates a gateway that runs unchanged, and ends on SIGTERM', async () => {
      const workspace = new Workspace(version);
      afterTest(() => workspace.remove());
      await generate(workspace.folder, 'application', {
        name: 'app',
        language: 'ts',
        strict: false,
        packageManager: 'npm',
      });
      await generate(join(workspace.folder, 'app'), 'gateway', {
        name: 'chat',
        sourceRoot: 'src',
        flat: false,
        skipImport: true,
      });
      workspace.write('app/src/run.ts', MAIN);
      workspace.compile();
      const log = `sqlite:${join(temporaryFolder(), 'log.db')}`;
      const application = startProcess([join(workspace.folder, 'app/src/run.js'), log]);
      const [, url = ''] = await application.until(/listening on (\S+)/);
      const client = await SocketIoClient.open(url);
      expect(await client.ask('message', 'anything')).toBe('Hello world!');
      expect(await (await fetch(url)).text()).toBe('Hello World!');
      const ended = new Promise((resolve) => client.socket.once('disconnect', resolve));
      application.signal('SIGTERM');
      await ended;
      expect(await application.exited).toMatchObject({ signal: 'SIGTERM' });
    });
  });
}
