import { mkdirSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { Part } from '../parts/part.js';

/** The script itself, because the command of Debian's package changes the user and drops the environment. */
const SERVER = '/usr/lib/rabbitmq/bin/rabbitmq-server';

/** The first bytes of an AMQP 0-9-1 client. A broker that serves answers with the first method. */
const PROTOCOL_HEADER = Buffer.from('AMQP\0\0\x09\x01', 'latin1');

export interface RabbitPorts {
  readonly amqp: number;
  /** The port for other nodes and for its own tools. */
  readonly distribution: number;
  /** The port of Erlang's name server. */
  readonly names: number;
}

/** Erlang's name server, owned by the run: otherwise the broker would start one that survives it. */
export function namesPart(folder: string, ports: RabbitPorts): Part {
  return new Part({
    name: 'epmd',
    command: () => ({ file: 'epmd', args: ['-port', String(ports.names), '-address', '127.0.0.1'] }),
    serves: () => accepts(ports.names),
    logFile: join(folder, 'epmd.log'),
  });
}

/** A RabbitMQ node of the run's own. */
export function rabbitPart(folder: string, ports: RabbitPorts): Part {
  const home = join(folder, 'rabbitmq');
  mkdirSync(home);
  const file = (name: string, content: string) => {
    writeFileSync(join(home, name), content);
    return join(home, name);
  };
  const env = {
    PATH: process.env['PATH'],
    LANG: 'C.UTF-8',
    HOME: home,
    ERL_EPMD_PORT: String(ports.names),
    ERL_EPMD_ADDRESS: '127.0.0.1',
    // Makes the script replace itself with the broker, instead of starting and watching it.
    RUNNING_UNDER_SYSTEMD: '1',
    RABBITMQ_NODENAME: `chaos-${ports.amqp}@localhost`,
    RABBITMQ_NODE_IP_ADDRESS: '127.0.0.1',
    RABBITMQ_NODE_PORT: String(ports.amqp),
    RABBITMQ_DIST_PORT: String(ports.distribution),
    RABBITMQ_CONFIG_FILE: file('rabbitmq.conf', CONFIGURATION),
    RABBITMQ_CONF_ENV_FILE: file('environment', ''),
    RABBITMQ_ENABLED_PLUGINS_FILE: file('plugins', '[].'),
    RABBITMQ_MNESIA_BASE: join(home, 'data'),
    RABBITMQ_LOG_BASE: join(home, 'log'),
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: '-kernel inet_dist_use_interface {127,0,0,1}',
  };
  return new Part({
    name: 'rabbitmq',
    command: () => ({ file: SERVER, args: [], env }),
    serves: () => greets(ports.amqp),
    logFile: join(folder, 'rabbitmq.log'),
    mayFailToStart: true,
  });
}

const CONFIGURATION = ['log.file.level = warning', 'disk_free_limit.absolute = 50MB', ''].join('\n');

function accepts(port: number): Promise<boolean> {
  return hears(port, Buffer.alloc(0), 'connect');
}

function greets(port: number): Promise<boolean> {
  return hears(port, PROTOCOL_HEADER, 'data');
}

/** Whether a server accepts a connection, or answers. */
function hears(port: number, greeting: Buffer, sign: 'connect' | 'data'): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    const end = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(1_000, () => end(false));
    socket.once('connect', () => socket.write(greeting));
    socket.once(sign, () => end(true));
    socket.once('error', () => end(false));
    socket.once('close', () => end(false));
  });
}
