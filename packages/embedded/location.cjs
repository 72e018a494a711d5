// Where this package lies on disk. `__filename` exists only in CommonJS and `import.meta` only in ES modules, so the two
// builds of src share no spelling for it; both can load this file.
exports.location = __filename;
