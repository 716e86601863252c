import { createRequire } from 'node:module';

// The engine that `nest generate` runs; it comes with the schematics.
const require = createRequire(createRequire(import.meta.url).resolve('@nestjs/schematics/package.json'));

/** Runs a schematic of Nest in a folder, as `nest new` and `nest generate` do. */
export async function generate(folder: string, schematic: string, options: object): Promise<void> {
  const { schema } = require('@angular-devkit/core');
  const { NodeWorkflow } = require('@angular-devkit/schematics/tools');
  const workflow = new NodeWorkflow(folder, { resolvePaths: [import.meta.dirname] });
  // The command line also passes missing options as undefined.
  workflow.registry.addPostTransform(schema.transforms.addUndefinedDefaults);
  const request = { collection: '@nestjs/schematics', schematic, options, allowPrivate: true };
  await new Promise<void>((resolve, reject) => {
    workflow.execute(request).subscribe({ error: reject, complete: resolve });
  });
}
