import { Module } from '@nestjs/common';
import { FunkosDatabase } from './funkos-database.js';

@Module({ providers: [FunkosDatabase], exports: [FunkosDatabase] })
export class DatabaseModule {}
