import type { ClusterMessage, ClusterResponse } from 'socket.io-adapter';
import { socketIo } from '../library.js';

/** The members of an object from an untrusted source. */
type Members = Readonly<Record<string, unknown>>;

/**
 * Validates a message from the log, which another gateway wrote, or any process that may write to the log. An invalid
 * shape throws, and unknown members are left out.
 *
 * @throws TypeError that names the first invalid member
 */
export function readBusMessage(value: unknown): ClusterMessage | ClusterResponse {
  const { MessageType } = socketIo();
  const message = membersOf(value, 'it');
  const from = { uid: textOf(message, 'uid'), nsp: textOf(message, 'nsp') };
  const { type } = message;
  switch (type) {
    case MessageType.INITIAL_HEARTBEAT:
    case MessageType.HEARTBEAT:
    case MessageType.ADAPTER_CLOSE:
      return { ...from, type };
  }
  const data = membersOf(message['data'], 'data');
  switch (type) {
    case MessageType.BROADCAST:
      return { ...from, type, data: { opts: optsOf(data), packet: packetOf(data), ...optionalRequest(data) } };
    case MessageType.SOCKETS_JOIN:
    case MessageType.SOCKETS_LEAVE:
      return { ...from, type, data: { opts: optsOf(data), rooms: roomsOf(data, 'rooms') } };
    case MessageType.DISCONNECT_SOCKETS:
      return { ...from, type, data: { opts: optsOf(data), ...closeOf(data) } };
    case MessageType.FETCH_SOCKETS:
      return { ...from, type, data: { opts: optsOf(data), requestId: textOf(data, 'requestId') } };
    case MessageType.FETCH_SOCKETS_RESPONSE:
      return { ...from, type, data: { requestId: textOf(data, 'requestId'), sockets: listOf(data, 'sockets') } };
    case MessageType.SERVER_SIDE_EMIT:
      return { ...from, type, data: { packet: listOf(data, 'packet'), ...optionalRequest(data) } };
    // These may lack `packet`: JSON leaves out undefined members.
    case MessageType.SERVER_SIDE_EMIT_RESPONSE:
    case MessageType.BROADCAST_ACK:
      return { ...from, type, data: { requestId: textOf(data, 'requestId'), packet: data['packet'] } };
    case MessageType.BROADCAST_CLIENT_COUNT:
      return {
        ...from,
        type,
        data: { requestId: textOf(data, 'requestId'), clientCount: numberOf(data, 'clientCount') },
      };
    default:
      throw wrong('type');
  }
}

function optsOf(data: Members) {
  const opts = membersOf(data['opts'], 'opts');
  return {
    rooms: roomsOf(opts, 'rooms'),
    except: opts['except'] === undefined ? [] : roomsOf(opts, 'except'),
    flags: opts['flags'] === undefined ? {} : membersOf(opts['flags'], 'flags'),
  };
}

/** Keeps further members of the packet for its receivers. */
function packetOf(data: Members): Members {
  const packet = membersOf(data['packet'], 'packet');
  numberOf(packet, 'type');
  listOf(packet, 'data');
  if (packet['id'] !== undefined) numberOf(packet, 'id');
  return packet;
}

function optionalRequest(data: Members): { requestId?: string } {
  return data['requestId'] === undefined ? {} : { requestId: textOf(data, 'requestId') };
}

function closeOf({ close }: Members): { close?: boolean } {
  if (close === undefined) return {};
  if (typeof close !== 'boolean') throw wrong('close');
  return { close };
}

function roomsOf(members: Members, name: string): string[] {
  const rooms = listOf(members, name);
  if (!rooms.every(isRoom)) throw wrong(name);
  return rooms;
}

/** The types of Socket.IO say that rooms are strings, but programs in JavaScript also use numbers. */
function isRoom(value: unknown): value is string {
  return typeof value === 'string' || typeof value === 'number';
}

function textOf(members: Members, name: string): string {
  const value = members[name];
  if (typeof value !== 'string') throw wrong(name);
  return value;
}

function numberOf(members: Members, name: string): number {
  const value = members[name];
  if (typeof value !== 'number') throw wrong(name);
  return value;
}

function listOf(members: Members, name: string): unknown[] {
  const value = members[name];
  if (!Array.isArray(value)) throw wrong(name);
  return value;
}

function membersOf(value: unknown, name: string): Members {
  if (!isMembers(value)) throw wrong(name);
  return value;
}

function isMembers(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !Buffer.isBuffer(value);
}

function wrong(name: string): TypeError {
  return new TypeError(`invalid message between gateways: ${name} is missing or has the wrong type`);
}
