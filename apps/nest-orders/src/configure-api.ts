// What the API has besides its modules: validation, and its description.

import { ValidationPipe, type INestApplication } from '@nestjs/common';
import { DocumentBuilder, SwaggerModule } from '@nestjs/swagger';

/** To be called before the application listens: by api.ts, and by tests. */
export function configureApi(app: INestApplication): INestApplication {
  // Bodies stay plain data, which is what runs record; with `transform` they would be instances of their classes.
  app.useGlobalPipes(new ValidationPipe({ whitelist: true }));
  app.enableShutdownHooks();
  const description = new DocumentBuilder().setTitle('Orders').setDescription('Order fulfilment that survives crashes');
  SwaggerModule.setup('docs', app, () => SwaggerModule.createDocument(app, description.build()));
  return app;
}
