import { Module } from '@nestjs/common';
import { PregonModule } from '@pregon/nest';
import { DatabaseModule } from './database.module.js';
import { FunkosModule } from './funkos/funkos.module.js';
import { FunkosDatabase } from './funkos-database.js';
import { settings } from './settings.js';

@Module({
  imports: [
    PregonModule.forRootAsync({
      imports: [DatabaseModule],
      inject: [FunkosDatabase],
      useFactory: ({ db }: FunkosDatabase) => ({
        log: settings.log,
        routes: { productos: { path: settings.namespace, topics: ['funko.#'] } },
        outbox: { source: '/funkos', db },
      }),
    }),
    FunkosModule,
  ],
})
export class AppModule {}
