// The API process: node dist/api.js

import 'reflect-metadata';
import { ValidationPipe } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { DocumentBuilder, SwaggerModule } from '@nestjs/swagger';
import { ApiModule } from './api.module.js';
import { Settings } from './settings.js';
import { reportTo } from './supervised.js';

const app = await NestFactory.create(ApiModule);
app.useGlobalPipes(new ValidationPipe({ whitelist: true }));
app.enableShutdownHooks();
const description = new DocumentBuilder().setTitle('Orders').setDescription('Order fulfilment that survives crashes');
SwaggerModule.setup('docs', app, SwaggerModule.createDocument(app, description.build()));
await app.listen(app.get(Settings).port, '127.0.0.1');
reportTo(process);
