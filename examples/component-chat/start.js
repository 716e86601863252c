import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createComponentServer } from 'pregon';
import { chat } from './chat.js';

const { PORT = '8000', CHAT_PORT = '8080' } = process.env;

try {
  // Two ports are two origins, so the chat server needs a list of the pages that may connect.
  const web = createServer().listen(Number(PORT), '127.0.0.1');
  await once(web, 'listening');
  const origin = `http://localhost:${web.address().port}`;

  const chatServer = createComponentServer({ allowedOrigins: [origin] }).mount('/chat', chat);
  const { port } = await chatServer.listen({ port: Number(CHAT_PORT) });

  const page = readFileSync(new URL('page.html', import.meta.url), 'utf8');
  web.on('request', (_request, response) => {
    response.setHeader('Content-Type', 'text/html; charset=utf-8');
    response.end(page.replace('CHAT_URL', `ws://localhost:${port}/chat`));
  });

  process.once('SIGTERM', async () => {
    web.close();
    web.closeAllConnections();
    await chatServer.close();
  });
  console.log(`page ${origin}, chat ws://localhost:${port}/chat`);
} catch (error) {
  console.error(error.message);
  process.exit(1);
}
