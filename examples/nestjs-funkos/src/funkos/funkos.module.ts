import { Module } from '@nestjs/common';
import { DatabaseModule } from '../database.module.js';
import { FunkosController } from './funkos.controller.js';
import { FunkosGateway } from './funkos.gateway.js';
import { FunkosService } from './funkos.service.js';

@Module({ imports: [DatabaseModule], controllers: [FunkosController], providers: [FunkosGateway, FunkosService] })
export class FunkosModule {}
