import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import Database from 'libsql';
import { settings } from './settings.js';

@Injectable()
export class FunkosDatabase implements OnApplicationShutdown {
  readonly db: Database.Database;

  constructor() {
    mkdirSync(dirname(settings.database), { recursive: true });
    this.db = new Database(settings.database, { timeout: 5_000 });
    this.db.exec('PRAGMA journal_mode = WAL');
    this.db.exec(`CREATE TABLE IF NOT EXISTS funkos (
      id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE, category TEXT NOT NULL,
      price REAL NOT NULL, quantity INTEGER NOT NULL
    )`);
  }

  onApplicationShutdown(): void {
    this.db.close();
  }
}
