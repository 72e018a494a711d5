import { Injectable } from '@nestjs/common';
import { Step } from '@perdure/nestjs';
import { Database } from '../database/database.js';

/** A table stands for the mail server, so that the demo can read what was sent. */
@Injectable()
export class MailService {
  constructor(private readonly database: Database) {}

  /** At least once: if the process dies before the step is recorded, the mail is sent again, which does no harm. */
  @Step({ name: 'mail', retry: { maxAttempts: 3, delay: '5s' } })
  async send(recipient: string, subject: string): Promise<void> {
    await this.database.query('insert into shop.mails (recipient, subject) values ($1, $2)', [recipient, subject]);
  }
}
