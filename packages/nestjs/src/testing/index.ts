// The public surface of @perdure/nestjs/testing, which needs @perdure/testing and @nestjs/testing.

export { createPerdureTest, type PerdureTest, type PerdureTestOptions } from './create-perdure-test.js';
