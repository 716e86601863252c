import {
  type ArgumentsHost,
  type CallHandler,
  type CanActivate,
  Catch,
  type ExecutionContext,
  Inject,
  Injectable,
  type NestInterceptor,
  ParseIntPipe,
  type PipeTransform,
  UseFilters,
  UseGuards,
  UseInterceptors,
  UsePipes,
} from '@nestjs/common';
import {
  BaseWsExceptionFilter,
  ConnectedSocket,
  MessageBody,
  type OnGatewayConnection,
  type OnGatewayDisconnect,
  type OnGatewayInit,
  SubscribeMessage,
  WebSocketGateway,
  WebSocketServer,
  WsException,
} from '@nestjs/websockets';
import { from, map, type Observable } from 'rxjs';
import type { Server, Socket } from 'socket.io';
import { Journal } from './journal.js';

@Injectable()
class OnlyFriends implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    return context.switchToWs().getData<{ friend?: boolean }>().friend === true;
  }
}

/** The gateway of Pregon has verified the token; the guard decides what its identity may do. */
@Injectable()
class OnlyAdmins implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const { identity } = context.switchToWs().getClient<Socket>().data;
    return identity?.claims?.role === 'admin';
  }
}

@Injectable()
class Shout implements NestInterceptor {
  intercept(_context: ExecutionContext, next: CallHandler<string>): Observable<string> {
    return next.handle().pipe(map((text) => text.toUpperCase()));
  }
}

class Trimmed implements PipeTransform<unknown, unknown> {
  transform(value: unknown): unknown {
    return typeof value === 'string' ? value.trim() : value;
  }
}

@Catch(RangeError)
class TellsTheRange extends BaseWsExceptionFilter {
  override catch(error: RangeError, host: ArgumentsHost): void {
    host.switchToWs().getClient<Socket>().emit('out of range', error.message);
  }
}

/** Uses every feature of a gateway of Nest, on the namespace `/`. */
@WebSocketGateway()
export class ChatGateway implements OnGatewayInit, OnGatewayConnection, OnGatewayDisconnect {
  @WebSocketServer()
  readonly server!: Server;
  readonly #journal: Journal;

  constructor(@Inject(Journal) journal: Journal) {
    this.#journal = journal;
    journal.note('chat: constructor');
  }

  afterInit(server: Server): void {
    this.#journal.note(`chat: afterInit ${typeof server.emit}`);
  }

  handleConnection(client: Socket): void {
    this.#journal.note(`chat: connect ${client.id}`);
  }

  handleDisconnect(client: Socket): void {
    this.#journal.note(`chat: disconnect ${client.id}`);
  }

  @SubscribeMessage('value')
  value(@MessageBody() data: unknown): { event: string; data: unknown } {
    return { event: 'answer', data };
  }

  @SubscribeMessage('ack')
  acknowledged(@MessageBody('text') text: string, @ConnectedSocket() client: Socket): string {
    return `${text} from ${client.id}`;
  }

  @SubscribeMessage('promise')
  async promise(@MessageBody() data: unknown): Promise<{ event: string; data: unknown }> {
    return { event: 'answer', data };
  }

  @SubscribeMessage('observable')
  observable(@MessageBody() count: number): Observable<{ event: string; data: number }> {
    return from(Array.from({ length: count }, (_, data) => ({ event: 'answer', data })));
  }

  @UseGuards(OnlyFriends)
  @SubscribeMessage('guarded')
  guarded(): string {
    return 'come in';
  }

  @UseGuards(OnlyAdmins)
  @SubscribeMessage('for admins')
  forAdmins(@ConnectedSocket() client: Socket): string {
    return `welcome, ${client.data.identity.sub}`;
  }

  @SubscribeMessage('piped')
  piped(@MessageBody('count', ParseIntPipe) count: number): number {
    return count + 1;
  }

  @UsePipes(new Trimmed())
  @UseInterceptors(Shout)
  @SubscribeMessage('intercepted')
  intercepted(@MessageBody() text: string): string {
    return text;
  }

  @SubscribeMessage('refused')
  refused(): never {
    throw new WsException('not today');
  }

  @SubscribeMessage('broken')
  broken(): never {
    throw new TypeError('a secret of the server');
  }

  @UseFilters(TellsTheRange)
  @SubscribeMessage('filtered')
  filtered(): never {
    throw new RangeError('too far');
  }

  @SubscribeMessage('tell')
  tell(@MessageBody() text: string, @ConnectedSocket() client: Socket): void {
    client.broadcast.emit('told', text);
  }
}
