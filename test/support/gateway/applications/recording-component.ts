import type { ComponentConnection, ComponentServerOptions, MessageComponent, MountOptions } from 'pregon';
import { createComponentServer } from 'pregon';
import { afterTest } from '../../cleanup.js';
import { Inbox } from '../inbox.js';

export type Call =
  | { readonly method: 'onOpen'; readonly connection: ComponentConnection }
  | { readonly method: 'onMessage'; readonly connection: ComponentConnection; readonly data: string | Buffer }
  | {
      readonly method: 'onClose';
      readonly connection: ComponentConnection;
      readonly close: { readonly code: number; readonly reason: string };
    }
  | { readonly method: 'onError'; readonly connection: ComponentConnection; readonly error: Error };

/** A component that records each call, and then calls the given method, if any. */
export class RecordingComponent implements MessageComponent {
  readonly calls = new Inbox<Call>();
  readonly #does: Partial<MessageComponent>;

  constructor(does: Partial<MessageComponent> = {}) {
    this.#does = does;
  }

  onOpen(connection: ComponentConnection): unknown {
    this.calls.push({ method: 'onOpen', connection });
    return this.#does.onOpen?.(connection);
  }

  onMessage(connection: ComponentConnection, data: string | Buffer): unknown {
    this.calls.push({ method: 'onMessage', connection, data });
    return this.#does.onMessage?.(connection, data);
  }

  onClose(connection: ComponentConnection, close: { code: number; reason: string }): unknown {
    this.calls.push({ method: 'onClose', connection, close });
    return this.#does.onClose?.(connection, close);
  }

  onError(connection: ComponentConnection, error: Error): unknown {
    this.calls.push({ method: 'onError', connection, error });
    return this.#does.onError?.(connection, error);
  }

  /** The names of all calls so far. */
  get methods(): string[] {
    return this.calls.all.map(({ method }) => method);
  }

  /** Waits for this many calls of a method, and returns them. */
  async called<M extends Call['method']>(method: M, count = 1): Promise<Extract<Call, { method: M }>[]> {
    const isSo = (call: Call): call is Extract<Call, { method: M }> => call.method === method;
    await this.calls.until(() => this.calls.all.filter(isSo).length >= count, `${count} calls of ${method}`);
    return this.calls.all.filter(isSo);
  }

  /** Waits for the first connection, and returns it. */
  async connection(): Promise<ComponentConnection> {
    const [opened] = await this.called('onOpen');
    if (!opened) throw new Error('unreachable');
    return opened.connection;
  }
}

export interface StartedComponent {
  readonly port: number;
  ws(path: string): string;
  http(path: string): string;
  close(): Promise<void>;
}

/** Serves a component on a free loopback port until the test is over. */
export async function serveComponent(
  component: MessageComponent,
  { path = '/chat', ...options }: MountOptions & { path?: string } = {},
  serverOptions: ComponentServerOptions = {},
): Promise<StartedComponent> {
  const server = createComponentServer(serverOptions).mount(path, component, options);
  afterTest(() => server.close({ timeoutMs: 1_000 }));
  const { port } = await server.listen({ port: 0 });
  return {
    port,
    ws: (target) => `ws://127.0.0.1:${port}${target}`,
    http: (target) => `http://127.0.0.1:${port}${target}`,
    close: () => server.close(),
  };
}
