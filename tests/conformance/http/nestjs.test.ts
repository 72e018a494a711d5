// The protocol as a controller of a Nest application, on both of its platforms.

import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { NestFactory, type AbstractHttpAdapter } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { getEngineToken, PerdureModule } from '@perdure/nestjs';
import { PerdureHttpModule } from '@perdure/nestjs/http';
import type { Engine } from 'perdure';
import { httpConformance, serveHere, type Serve } from './http-conformance.js';

// Fastify refuses what is longer than 100 characters in a path, unless told otherwise. Nest 11 does not tell it of connections to close.
const fastifyOptions = { routerOptions: { maxParamLength: 2_000 }, forceCloseConnections: true };

class Application {}
Module({})(Application);

function serveOn(makeAdapter: () => AbstractHttpAdapter): Serve {
  return serveHere(async ({ engineOptions, httpOptions: { basePath = '/perdure', ...httpOptions }, port }) => {
    const root = {
      module: Application,
      imports: [PerdureModule.forRoot(engineOptions), PerdureHttpModule.forRoot({ path: basePath, ...httpOptions })],
    };
    const app = await NestFactory.create(root, makeAdapter(), { logger: false, forceCloseConnections: true });
    await app.listen(port, '127.0.0.1');
    const engine = app.get<Engine>(getEngineToken(), { strict: false });
    return { url: `${await app.getUrl()}${basePath}`, engine, close: () => app.close() };
  });
}

httpConformance({ name: 'Nest on Express', looks: 500, serve: serveOn(() => new ExpressAdapter()) });
httpConformance({ name: 'Nest on Fastify', looks: 500, serve: serveOn(() => new FastifyAdapter(fastifyOptions)) });
