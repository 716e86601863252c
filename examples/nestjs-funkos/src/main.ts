import 'reflect-metadata';
import { Logger } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { PregonIoAdapter } from '@pregon/nest';
import { AppModule } from './app.module.js';
import { settings } from './settings.js';

const app = await NestFactory.create(AppModule);
app.useWebSocketAdapter(new PregonIoAdapter(app));
app.enableShutdownHooks();
await app.listen(settings.port);
Logger.log(`listening on ${await app.getUrl()}`, 'Funkos');
