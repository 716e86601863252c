import { Inject } from '@nestjs/common';
import {
  MessageBody,
  type OnGatewayConnection,
  SubscribeMessage,
  WebSocketGateway,
  WebSocketServer,
} from '@nestjs/websockets';
import type { Namespace, Server, Socket } from 'socket.io';
import { Journal } from './journal.js';

export const PRODUCTS_NAMESPACE = `/ws/${process.env['API_VERSION'] || 'v1'}/productos`;

@WebSocketGateway({ namespace: PRODUCTS_NAMESPACE, cors: { origin: 'http://shop.example' }, pingInterval: 12_345 })
export class ProductsGateway implements OnGatewayConnection {
  @WebSocketServer()
  readonly server!: Server;
  readonly #journal: Journal;

  constructor(@Inject(Journal) journal: Journal) {
    this.#journal = journal;
  }

  handleConnection(client: Socket): void {
    this.#journal.note(`products: connect ${client.id}`);
    this.server.emit('connection', `there is ${client.id}`);
  }

  @SubscribeMessage('updateProduct')
  update(@MessageBody() product: unknown): void {
    this.server.emit('updates', product);
  }
}

/** A gateway with its own port, on the namespace `/`, which another gateway uses too, or on its own namespace. */
export function gatewayOn(port: number, namespace = '/'): { new (): object } {
  @WebSocketGateway(port, { namespace })
  class OwnPortGateway {
    @WebSocketServer()
    readonly server!: Namespace;

    @SubscribeMessage('ack')
    acknowledged(): string {
      return `by port ${port}`;
    }

    @SubscribeMessage('tell')
    tell(@MessageBody() text: string): void {
      this.server.emit('told', text);
    }
  }
  return OwnPortGateway;
}
