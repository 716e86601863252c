import { HookAdmission } from '../../access/hook/hook-admission.js';
import { planHook } from '../../access/hook/hook-options.js';
import type { FailedAuthentications } from '../../access/limits/failed-authentications.js';
import { normalizeLifetime } from '../../access/tokens/issuer-plan.js';
import { TokenAdmission } from '../../access/tokens/token-admission.js';
import { TokenVerifier } from '../../access/tokens/token-verifier.js';
import { VerifyAdmission } from '../../access/verify-admission.js';
import type { AskingAdmission } from '../../core/admission/question.js';
import { systemClock } from '../../core/time/clock.js';
import type { OriginPolicy } from '../../transports/http/cors.js';
import type { AuthOptions, GatewayOptions, Logger } from '../options.js';

/** How a gateway finds the identity of a client. */
export interface IdentitySource {
  /** How long rights outlive their token, because clocks differ; undefined for the default. */
  readonly leewayMs: number | undefined;
  readonly admissions: readonly AskingAdmission[];
  /** Reads key files and key sets again. Never rejects: what cannot be read is logged, and the last good keys stay. */
  reload(): Promise<void>;
  close(): void;
}

export interface IdentitySourceContext {
  readonly allowedOrigins: GatewayOptions['allowedOrigins'];
  readonly origins: OriginPolicy;
  readonly failures: FailedAuthentications;
  readonly logger: Logger;
}

const OPTIONS: ReadonlySet<string> = new Set([
  'issuers',
  'maxTokenLifetimeMs',
  'leewayMs',
  'cookie',
  'verify',
  'hook',
  'forward',
  'authorize',
] satisfies (keyof AuthOptions)[]);

/** With a hook, the application decides alone. */
const WITHOUT_HOOK = ['issuers', 'verify', 'cookie', 'leewayMs'] as const satisfies (keyof AuthOptions)[];

/**
 * Opens what `auth` configures: tokens of issuers, the function of the application, or its hook.
 *
 * @throws TypeError | RangeError if an option is wrong
 * @throws PregonError CONFIG_INVALID if a key file cannot be used
 */
export async function openIdentitySource(auth: AuthOptions, context: IdentitySourceContext): Promise<IdentitySource> {
  assertOptions(auth);
  const { issuers, verify, hook, forward, authorize, ...tokens } = auth;
  if (authorize !== undefined && typeof authorize !== 'function') {
    throw new TypeError('auth.authorize must be a function');
  }
  const { origins, logger, allowedOrigins, failures } = context;
  if (hook !== undefined) return askingHook({ hook, forward, maxTokenLifetimeMs: auth.maxTokenLifetimeMs }, logger);
  if (!issuers && !verify) throw new TypeError('auth needs issuers, verify or hook');
  if (tokens.cookie !== undefined && allowedOrigins === undefined) {
    throw new TypeError('auth.cookie needs allowedOrigins: a page of any site can make a browser send the cookie');
  }
  const verifying = verify ? [new VerifyAdmission(verify)] : [];
  if (!issuers) return { leewayMs: undefined, admissions: verifying, async reload() {}, close() {} };
  const verifier = await TokenVerifier.open({ ...tokens, issuers }, { clock: systemClock, logger });
  return {
    leewayMs: tokens.leewayMs,
    admissions: [...verifying, new TokenAdmission({ verifier, cookie: tokens.cookie, origins, failures })],
    reload: () => verifier.reload(),
    close: () => verifier.close(),
  };
}

function askingHook(
  { hook, forward, maxTokenLifetimeMs }: { hook: string } & Pick<AuthOptions, 'forward' | 'maxTokenLifetimeMs'>,
  logger: Logger,
): IdentitySource {
  const plan = planHook({ hook, forward });
  if (plan.isExposed) {
    logger.warn({ hook: plan.shownUrl }, 'cookies and tokens of clients are sent to auth.hook unencrypted: use https');
  }
  const admission = new HookAdmission({ plan, mostMs: normalizeLifetime(maxTokenLifetimeMs), timers: systemClock });
  return { leewayMs: undefined, admissions: [admission], async reload() {}, close: () => admission.close() };
}

/** A mistyped option, or one without effect, would be ignored, and its author would rely on it. */
function assertOptions(auth: AuthOptions): void {
  const unknown = Object.keys(auth).find((name) => !OPTIONS.has(name));
  if (unknown !== undefined) {
    throw new TypeError(`auth.${unknown} is not an option; the options are ${[...OPTIONS].join(', ')}`);
  }
  if (auth.hook === undefined) {
    if (auth.forward !== undefined) throw new TypeError('auth.forward needs auth.hook, to which headers are forwarded');
    return;
  }
  const other = WITHOUT_HOOK.find((name) => auth[name] !== undefined);
  if (other === undefined) return;
  throw new TypeError(`auth.${other} has no effect beside auth.hook, which decides alone; remove one of the two`);
}
