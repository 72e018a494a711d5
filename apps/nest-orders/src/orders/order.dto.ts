// The bodies of requests.

import { ApiProperty } from '@nestjs/swagger';
import { IsBoolean, IsEmail, IsInt, IsPositive, IsString, Length, Matches } from 'class-validator';
import type { Approval, Order } from './order.js';

export class OrderDto implements Order {
  @ApiProperty({ example: 'order-1', description: 'Chosen by the client, so that it can send the order again.' })
  @Matches(/^[\w-]{1,64}$/)
  readonly id!: string;

  @ApiProperty({ example: 'ada' })
  @IsString()
  @Length(1, 80)
  readonly customer!: string;

  @ApiProperty({ example: 'ada@example.com' })
  @IsEmail()
  readonly email!: string;

  @ApiProperty({ example: 'lamp', description: 'lamp, chair or piano; the unicorn is out of stock.' })
  @IsString()
  @Length(1, 80)
  readonly item!: string;

  @ApiProperty({ example: 1 })
  @IsInt()
  @IsPositive()
  readonly quantity!: number;

  @ApiProperty({ example: 8_980, description: 'From 50000 on a person has to agree.' })
  @IsInt()
  @IsPositive()
  readonly cents!: number;
}

export class ApprovalDto implements Approval {
  @ApiProperty({ example: true })
  @IsBoolean()
  readonly approved!: boolean;

  @ApiProperty({ example: 'grace' })
  @IsString()
  @Length(1, 80)
  readonly by!: string;
}
