import type { NestVersion } from './support/compile.js';

export function generatorSuite(_version: NestVersion): void {}
