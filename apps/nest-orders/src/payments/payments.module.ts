import { Module } from '@nestjs/common';
import { Bank } from './bank.js';
import { PaymentsService } from './payments.service.js';

@Module({ providers: [Bank, PaymentsService], exports: [PaymentsService] })
export class PaymentsModule {}
