/** The path of a file in this package's folder. */
export declare const location: string;
