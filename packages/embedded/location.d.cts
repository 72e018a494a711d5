/** The path of a file in this package's folder: what `createRequire` needs to resolve its dependencies. */
export declare const location: string;
