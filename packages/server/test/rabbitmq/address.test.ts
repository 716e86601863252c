import { expect, it } from 'vitest';
import { parseRabbitAddress } from '../../src/logs/rabbitmq/connection/address.js';

it('a RabbitMQ address names host, port, user, vhost and stream, each of which may be absent', () => {
  expect(parseRabbitAddress('amqp://')).toMatchObject({
    tls: false,
    host: 'localhost',
    port: 5672,
    user: 'guest',
    password: 'guest',
    vhost: '/',
    stream: 'pregon',
  });
  expect(
    parseRabbitAddress('amqps://shop:a%2Fb@[::1]:5/my%2Fvhost?stream=news&heartbeat=30&cacertfile=ca.pem'),
  ).toEqual({
    tls: true,
    host: '::1',
    port: 5,
    user: 'shop',
    password: 'a/b',
    vhost: 'my/vhost',
    stream: 'news',
    heartbeatSeconds: 30,
    certificates: { ca: 'ca.pem' },
    name: 'amqps://shop@[::1]:5/my%2Fvhost?stream=news',
  });
  expect(parseRabbitAddress('amqps://broker.example')).toMatchObject({ host: 'broker.example', port: 5671 });
  expect(parseRabbitAddress('amqp://shop@h')).toMatchObject({ user: 'shop', password: '' });
});

it('the stream of the options applies if the address names none', () => {
  expect(parseRabbitAddress('amqp://h', 'news').stream).toBe('news');
  expect(parseRabbitAddress('amqp://h?stream=mine', 'news').stream).toBe('mine');
});

it('the displayed name of an address never contains the password', () => {
  expect(parseRabbitAddress('amqp://shop:sesame@h/v').name).toBe('amqp://shop@h:5672/v?stream=pregon');
});

it('an invalid address is refused, and the error shows no password', () => {
  const wrong = [
    'http://shop:sesame@h',
    'amqp://shop:sesame@h:99999',
    'amqp://shop:sesame%@h',
    'amqp://shop:sesame@h/%zz',
    'amqp://shop:sesame@h?strem=x',
    'amqp://shop:sesame@h?heartbeat=0',
    'amqp://shop:sesame@h?heartbeat=soon',
  ];
  for (const url of wrong) {
    try {
      parseRabbitAddress(url);
      expect.fail(`${url} was taken`);
    } catch (error) {
      expect(error).toMatchObject({ code: 'CONFIG_INVALID' });
      expect(String(error)).not.toContain('sesame');
    }
  }
});
