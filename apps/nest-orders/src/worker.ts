// A worker process: node dist/worker.js

import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { reportTo } from './supervised.js';
import { WorkerModule } from './worker.module.js';

const app = await NestFactory.createApplicationContext(WorkerModule);
app.enableShutdownHooks();
reportTo(process);
