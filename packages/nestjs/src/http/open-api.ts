// The routes of the protocol in the OpenAPI document that @nestjs/swagger makes of an application.

import { openApi, type OpenApiOptions } from '@perdure/http';

/** The part of a document of @nestjs/swagger that is added to. */
export interface SwaggerDocument {
  paths: Record<string, unknown>;
  components?: { schemas?: Record<string, unknown>; securitySchemes?: Record<string, unknown> };
}

/**
 * Adds the routes of `PerdureHttpModule` to a document. `basePath` is the path of the module with the application's prefix.
 * Throws OPTION_INVALID.
 *
 * @example
 * const document = addWorkflowPaths(SwaggerModule.createDocument(app, config), { basePath: '/perdure', expose: [CheckoutWorkflow] });
 */
export function addWorkflowPaths<Document extends object>(document: Document, options: OpenApiOptions): Document {
  const { paths, components } = openApi({ basePath: '/perdure', ...options });
  const { paths: own = {}, components: ownComponents = {} } = document as Partial<SwaggerDocument>;
  const groups = ['schemas', 'securitySchemes'] as const;
  const merged = Object.fromEntries(
    groups.map((group) => [group, { ...Object(components[group]), ...ownComponents[group] }]),
  );
  return { ...document, paths: { ...own, ...paths }, components: { ...ownComponents, ...merged } };
}
