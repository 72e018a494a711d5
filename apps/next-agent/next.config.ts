import type { NextConfig } from 'next';

const config: NextConfig = { output: 'standalone', devIndicators: false };

export default config;
