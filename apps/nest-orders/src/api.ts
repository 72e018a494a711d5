// The API process: node dist/api.js

import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { ApiModule } from './api.module.js';
import { configureApi } from './configure-api.js';
import { Settings } from './settings.js';
import { reportTo } from './supervised.js';

const app = configureApi(await NestFactory.create(ApiModule));
await app.listen(app.get(Settings).port, '127.0.0.1');
reportTo(process);
