// What the environment says, for everything that is configured. Tests override it.

import { Global, Injectable, Module } from '@nestjs/common';

@Injectable()
export class Settings {
  readonly databaseUrl = process.env['DATABASE_URL'] ?? 'postgres://localhost:5432/postgres';
  readonly port = Number(process.env['PORT'] ?? 3000);
  /** How long a worker may be silent before others take over what it runs. */
  readonly lease = process.env['LEASE'] ?? '6s';
  /** How slow the bank is that stands for one. */
  readonly bankAnswersAfterMs = Number(process.env['BANK_ANSWERS_AFTER_MS'] ?? 400);
}

@Global()
@Module({ providers: [Settings], exports: [Settings] })
export class SettingsModule {}
