import { BadRequestException, Injectable, type PipeTransform } from '@nestjs/common';

export const CATEGORIES = ['SERIES', 'DISNEY', 'SUPERHEROES', 'MOVIES', 'OTHER'] as const;

export interface NewFunko {
  readonly name: string;
  readonly category: (typeof CATEGORIES)[number];
  readonly price: number;
  readonly quantity: number;
}

export interface Funko extends NewFunko {
  readonly id: number;
}

/** Parses a figure from the body of a request. */
@Injectable()
export class NewFunkoPipe implements PipeTransform<unknown, NewFunko> {
  transform(body: unknown): NewFunko {
    return newFunkoOf(body);
  }
}

/** Parses a figure from a database row. */
export function funkoOf(row: unknown): Funko {
  return { id: Number(field(row, 'id')), ...newFunkoOf(row) };
}

function newFunkoOf(value: unknown): NewFunko {
  const [name, price, quantity] = [field(value, 'name'), field(value, 'price'), field(value, 'quantity')];
  const category = CATEGORIES.find((one) => one === field(value, 'category'));
  if (typeof name !== 'string' || name.trim() === '')
    throw new BadRequestException('name must be a string that is not empty');
  if (category === undefined) throw new BadRequestException(`category must be one of ${CATEGORIES.join(', ')}`);
  if (!isAmount(price)) throw new BadRequestException('price must be a number of at least 0');
  if (!isAmount(quantity) || !Number.isInteger(quantity)) {
    throw new BadRequestException('quantity must be an integer of at least 0');
  }
  return { name, category, price, quantity };
}

function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}

function isAmount(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0;
}
