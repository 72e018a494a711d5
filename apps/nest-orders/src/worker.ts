// A worker process: node dist/worker.js

import 'reflect-metadata';
import { ConsoleLogger } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { withRuns } from '@perdure/nestjs';
import { reportTo } from './supervised.js';
import { WorkerModule } from './worker.module.js';

const app = await NestFactory.createApplicationContext(WorkerModule, { logger: withRuns(new ConsoleLogger()) });
app.enableShutdownHooks();
reportTo(process);
