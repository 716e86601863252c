import { fileURLToPath } from 'node:url';
import { beforeAll, describe } from 'vitest';
import { accessSuite } from './access.suite.js';
import { domainEventsSuite } from './domain-events.suite.js';
import { gatewaysSuite } from './gateways.suite.js';
import { generatorSuite } from './generator.suite.js';
import { moduleSuite } from './module.suite.js';
import { publisherSuite } from './publisher.suite.js';
import { addReadme, readmeSuite } from './readme.suite.js';
import type { Apps } from './support/apps.js';
import { NEST_VERSIONS, Workspace } from './support/compile.js';

/** One suite: the applications under apps/ are compiled against each version of Nest and run on it. */
for (const version of NEST_VERSIONS) {
  describe(`on NestJS ${version}`, async () => {
    let apps: Apps | undefined;
    let compiled: Workspace | undefined;
    const loaded = () => {
      if (apps === undefined) throw new Error('the applications exist only while the tests run');
      return apps;
    };

    beforeAll(async () => {
      const workspace = new Workspace(version);
      workspace.add(fileURLToPath(new URL('apps', import.meta.url)), 'apps');
      addReadme(workspace);
      workspace.compile();
      compiled = workspace;
      apps = await import(workspace.urlOf('apps/boot.js'));
      return () => workspace.remove();
    });

    gatewaysSuite(loaded);
    moduleSuite(loaded);
    accessSuite(loaded);
    domainEventsSuite(loaded);
    await publisherSuite(loaded);
    await readmeSuite(() => {
      if (compiled === undefined) throw new Error('the program exists only while the tests run');
      return compiled;
    });
    generatorSuite(version);
  });
}
