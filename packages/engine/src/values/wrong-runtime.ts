// What bundlers find in place of the engine where it cannot run: the edge runtime and browsers. It is taken in its CommonJS form with
// exports that are computed, so that a bundler looks for no names in it, and this is what one gets to read.

module.exports = refuse();

function refuse(): never {
  throw new Error(
    'WRONG_RUNTIME: perdure was imported in the edge runtime or in a browser, where there is no connection to Postgres. In the edge ' +
      'runtime: remove `runtime = "edge"` from the route, and do not use it in proxy or middleware. In a browser: import what is shared ' +
      'with `import type` alone.',
  );
}
