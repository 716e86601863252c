import type { Identity } from '../../core/ports/admission.js';
import type { PublishRight } from '../../core/ports/rights.js';
import { hasValue } from './claims.js';
import type { ClaimValue } from './rule.js';
import type { TopicTemplate } from './topic-template.js';

/** A rule that was checked. */
export interface CompiledRule {
  readonly subscribe: TopicTemplate | undefined;
  readonly publish: TopicTemplate | undefined;
  /** The limits of `publish`. */
  readonly publishTo: Pick<PublishRight, 'exchange' | 'source'>;
  readonly send: string | undefined;
  readonly broadcast: boolean;
  readonly isService: boolean;
  readonly isForAnyone: boolean;
  /** Undefined for every issuer. */
  readonly issuer: string | undefined;
  readonly conditions: readonly Condition[];
  /** The numbers of the variables in both patterns. */
  readonly variables: readonly number[];
}

export interface Condition {
  readonly claim: string;
  readonly values: readonly ClaimValue[];
}

/** Whether the conditions of a rule hold for an identity. Its variables are not looked at. */
export function appliesTo({ issuer, isForAnyone, conditions }: CompiledRule, identity: Identity | undefined): boolean {
  if (!identity) return isForAnyone;
  if (issuer !== undefined && issuer !== identity.iss) return false;
  return conditions.every(({ claim, values }) => hasValue(identity, claim, values));
}
