import { assertTopic, matchesTopic, PregonError } from '@pregon/protocol';
import { compileRules } from '../../access/rules/compile-rules.js';
import { explainTopic } from '../../access/rules/explain-topic.js';
import type { Configuration, RouteConfiguration } from '../../config/configuration.js';
import type { Identity } from '../../core/ports/admission.js';
import type { Command } from '../command.js';
import { LOG_FLAGS, readConfiguration } from '../log-flags.js';
import { write } from '../terminal/output.js';
import { visible } from '../terminal/terminal-text.js';
import { readToken, TOKEN_FILE_FLAG } from '../token-input.js';
import { UsageError } from '../usage-error.js';
import { authOf, verifyToken } from './configured-tokens.js';

const EXIT_HIDDEN = 1;

export const accessExplain: Command = {
  name: 'access explain',
  summary: 'Show which rule lets a token see the events of a topic, or why none does',
  details: [
    'Reads the token from standard input or a file. The exit code is 0 if the token may see the topic on one of the',
    'routes, and 1 if not.',
  ],
  arguments: [{ name: 'TOPIC', required: true, description: 'the topic of an event: user.42.created' }],
  flags: {
    route: { kind: 'text', value: 'NAME', description: 'only this route (default: all)' },
    anonymous: { kind: 'switch', description: 'explain what a client without a token may see' },
    'token-file': TOKEN_FILE_FLAG,
    config: LOG_FLAGS.config,
  },
  examples: [
    'pregon access explain user.42.created --token-file=token.txt',
    'pregon access explain public.news --route=events --anonymous',
  ],
  async run(invocation) {
    const { flags } = invocation;
    const topic = invocation.argument('TOPIC') ?? '';
    assertTopic(topic);
    if (flags.has('anonymous') && flags.has('token-file')) {
      throw new UsageError('--anonymous and --token-file contradict each other: remove one of them');
    }
    const configuration = await readConfiguration(invocation);
    const auth = authOf(configuration);
    const routes = chooseRoutes(configuration, flags.text('route'));
    const identity = flags.has('anonymous') ? undefined : await verifyToken(auth, await readToken(invocation));
    const issuers = auth.issuers.map(({ issuer }) => issuer);
    const answers = routes.map(([name, route]) => explainRoute(name, route, { issuers, identity, topic }));
    await write(answers.flatMap(({ lines }) => lines.map((line) => `${visible(line)}\n`)).join(''));
    return answers.some(({ isVisible }) => isVisible) ? 0 : EXIT_HIDDEN;
  },
};

/** @throws PregonError ROUTE_UNKNOWN */
function chooseRoutes({ routes, file }: Configuration, asked: string | undefined): [string, RouteConfiguration][] {
  const all = Object.entries(routes);
  const chosen = asked === undefined ? all : all.filter(([name]) => name === asked);
  if (chosen.length > 0) return chosen;
  const names = all.map(([name]) => name).join(', ') || 'none';
  const what = asked === undefined ? 'there is no route' : `there is no route "${asked}"`;
  throw new PregonError('ROUTE_UNKNOWN', `${what} in ${file}; the routes are ${names}`);
}

interface Question {
  readonly issuers: readonly string[];
  readonly identity: Identity | undefined;
  readonly topic: string;
}

interface Answer {
  readonly isVisible: boolean;
  readonly lines: readonly string[];
}

function explainRoute(name: string, { allow, access, topics }: RouteConfiguration, question: Question): Answer {
  const { issuers, identity, topic } = question;
  if (topics && !topics.some((pattern) => matchesTopic(pattern, topic))) {
    return no(name, `the route carries only ${topics.join(', ')}`);
  }
  if (!allow) {
    return access === 'public'
      ? { isVisible: true, lines: [`${name}: yes, the route is public`] }
      : no(name, 'the route is closed: it has neither allow nor access');
  }
  const rights = compileRules(allow, { issuers }).rightsOf(identity);
  const verdicts = explainTopic(allow, { issuers }, identity, topic);
  const lines = verdicts.map(({ index, rule, why }) => ({ index, text: `  allow[${index}] ${rule}: ${why}` }));
  if ('status' in rights) return no(name, `${rights.message} (${rights.status})`, ...lines.map(({ text }) => text));
  if (!rights.subscribe.some((pattern) => matchesTopic(pattern, topic))) {
    return no(name, 'no rule grants the topic', ...lines.map(({ text }) => text));
  }
  const granting = lines.filter(({ index }) => verdicts[index]?.grants);
  return { isVisible: true, lines: [`${name}: yes`, ...granting.map(({ text }) => text)] };
}

function no(name: string, why: string, ...lines: readonly string[]): Answer {
  return { isVisible: false, lines: [`${name}: no, ${why}`, ...lines] };
}
