import { ConflictException, Injectable, NotFoundException } from '@nestjs/common';
import { PregonPublisher } from '@pregon/nest';
import { FunkosDatabase } from '../funkos-database.js';
import { type Funko, funkoOf, type NewFunko } from './funko.js';
import { type ChangeType, FUNKO_EVENTS } from './notification.js';

/** Saves each change and writes its event in the same transaction, so a failed save notifies no client. */
@Injectable()
export class FunkosService {
  constructor(
    private readonly database: FunkosDatabase,
    private readonly publisher: PregonPublisher,
  ) {}

  findAll(): Funko[] {
    return this.query('SELECT * FROM funkos ORDER BY id');
  }

  findOne(id: number): Funko {
    return this.query('SELECT * FROM funkos WHERE id = ?', id)[0] ?? notFound(id);
  }

  create({ name, category, price, quantity }: NewFunko): Funko {
    const insert = 'INSERT INTO funkos (name, category, price, quantity) VALUES (?, ?, ?, ?) RETURNING *';
    return this.change('CREATE', () => this.query(insert, name, category, price, quantity)[0]);
  }

  update(id: number, { name, category, price, quantity }: NewFunko): Funko {
    const update = 'UPDATE funkos SET name = ?, category = ?, price = ?, quantity = ? WHERE id = ? RETURNING *';
    return this.change('UPDATE', () => this.query(update, name, category, price, quantity, id)[0] ?? notFound(id));
  }

  remove(id: number): Funko {
    return this.change(
      'DELETE',
      () => this.query('DELETE FROM funkos WHERE id = ? RETURNING *', id)[0] ?? notFound(id),
    );
  }

  private change(type: ChangeType, save: () => Funko | undefined): Funko {
    const { db } = this.database;
    const saveAndNotify = db.transaction(() => {
      const funko = save();
      if (funko === undefined) throw new Error('the statement has saved no row');
      this.publisher.add(db, { exchange: 'funkos', topic: `funko.${funko.id}`, type: FUNKO_EVENTS[type], data: funko });
      return funko;
    });
    try {
      return saveAndNotify.immediate();
    } catch (error) {
      if (error instanceof Error && /UNIQUE/.test(error.message))
        throw new ConflictException('a figure with this name already exists');
      throw error;
    }
  }

  private query(sql: string, ...values: (string | number)[]): Funko[] {
    return this.database.db
      .prepare(sql)
      .all(...values)
      .map(funkoOf);
  }
}

function notFound(id: number): never {
  throw new NotFoundException(`there is no figure with the id ${id}`);
}
