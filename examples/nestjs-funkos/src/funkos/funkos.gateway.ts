import { Logger } from '@nestjs/common';
import {
  MessageBody,
  type OnGatewayConnection,
  type OnGatewayDisconnect,
  SubscribeMessage,
  WebSocketGateway,
  WebSocketServer,
} from '@nestjs/websockets';
import { OnDomainEvent } from '@pregon/nest';
import type { PregonEvent } from 'pregon';
import type { Namespace, Socket } from 'socket.io';
import { settings } from '../settings.js';
import type { Funko } from './funko.js';
import { notificationOf } from './notification.js';

/** An ordinary Nest gateway, as its generator creates it. */
@WebSocketGateway({ namespace: settings.namespace })
export class FunkosGateway implements OnGatewayConnection, OnGatewayDisconnect {
  @WebSocketServer()
  private readonly server!: Namespace;
  private readonly logger = new Logger(FunkosGateway.name);

  constructor() {
    this.logger.log(`listening on ${settings.namespace}`);
  }

  handleConnection(client: Socket): void {
    this.logger.log(`connected: ${client.id}`);
    this.server.emit('connection', `Funkos: ${client.id} is here`);
  }

  handleDisconnect(client: Socket): void {
    this.logger.log(`disconnected: ${client.id}`);
  }

  @SubscribeMessage('updateProduct')
  updateProduct(@MessageBody() product: unknown): void {
    this.server.emit('updates', product);
  }

  // `local`: if several processes serve, each handler runs in all of them, and notifies the clients of its own process.

  @OnDomainEvent('FunkoWasCreated')
  created(event: PregonEvent<Funko>): void {
    this.server.local.emit('updates', notificationOf('CREATE', event));
  }

  @OnDomainEvent('FunkoWasUpdated')
  updated(event: PregonEvent<Funko>): void {
    this.server.local.emit('updates', notificationOf('UPDATE', event));
  }

  @OnDomainEvent('FunkoWasDeleted')
  deleted(event: PregonEvent<Funko>): void {
    this.server.local.emit('updates', notificationOf('DELETE', event));
  }
}
