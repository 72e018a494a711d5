import { Body, Controller, Get, HttpCode, Param, Post } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { ApprovalDto, OrderDto } from './order.dto.js';
import { OrdersService, type OrderView } from './orders.service.js';

@ApiTags('orders')
@Controller('orders')
export class OrdersController {
  constructor(private readonly orders: OrdersService) {}

  /** Accepted as soon as it is stored; workers do the rest. */
  @Post()
  @HttpCode(202)
  async place(@Body() order: OrderDto): Promise<{ readonly id: string }> {
    await this.orders.place(order);
    return { id: order.id };
  }

  @Get(':id')
  async view(@Param('id') id: string): Promise<OrderView> {
    return this.orders.view(id);
  }

  @Post(':id/approval')
  @HttpCode(202)
  async answer(@Param('id') id: string, @Body() answer: ApprovalDto): Promise<void> {
    await this.orders.answer(id, answer);
  }
}
