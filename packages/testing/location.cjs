// Where this package lies on disk, for src/spawn-process.ts, which starts Node with a file of this package. `__filename`
// exists only in CommonJS and `import.meta` only in ES modules; both builds of src can load this file.
exports.location = __filename;
