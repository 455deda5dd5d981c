// Are the fields of this configuration among those of Traefik's reference (3.7), and of their kinds? A list
// counts as what is in it. With a third argument, the values of that field are printed.
//
// usage: node traefik_config.mjs MODULES FILE [FIELD]
import { createRequire } from 'node:module';
import fs from 'node:fs';
import path from 'node:path';

const FIELDS = {
    'entryPoints.*.address': 'string',
    'entryPoints.*.http.middlewares': 'string',
    'providers.file.filename': 'string',
    'accessLog.format': 'string',
    'accessLog.fields.names.*': 'string',
    'http.routers.*.entryPoints': 'string',
    'http.routers.*.rule': 'string',
    'http.routers.*.middlewares': 'string',
    'http.routers.*.service': 'string',
    'http.middlewares.*.forwardAuth.address': 'string',
    'http.middlewares.*.forwardAuth.authRequestHeaders': 'string',
    'http.middlewares.*.forwardAuth.authResponseHeaders': 'string',
    'http.middlewares.*.forwardAuth.authResponseHeadersRegex': 'string',
    'http.middlewares.*.forwardAuth.headerField': 'string',
    'http.middlewares.*.forwardAuth.maxResponseBodySize': 'number',
    'http.middlewares.*.forwardAuth.trustForwardHeader': 'boolean',
    'http.middlewares.*.headers.customRequestHeaders.*': 'string',
    'http.services.*.loadBalancer.servers.url': 'string',
};

function leaves(value, at) {
    if (Array.isArray(value)) {
        return value.flatMap((one) => leaves(one, at));
    } else if (typeof value === 'object' && value !== null) {
        return Object.entries(value).flatMap(([name, inner]) => leaves(inner, [...at, name]));
    }
    return [{ at, value }];
}

const fits = (field, at) => {
    const names = field.split('.');
    return names.length === at.length && names.every((name, i) => name === '*' || name === at[i]);
};

const yaml = createRequire(`${path.resolve(process.argv[2])}/`)('yaml');
const all = leaves(yaml.parse(fs.readFileSync(process.argv[3], 'utf8')), []);
if (process.argv[4]) {
    all.filter(({ at }) => fits(process.argv[4], at)).forEach(({ value }) => console.log(value));
} else {
    const wrong = all.filter(({ at, value }) =>
        !Object.entries(FIELDS).some(([field, kind]) => fits(field, at) && typeof value === kind));
    wrong.forEach(({ at, value }) => console.log(`${at.join('.')}: Traefik has no such field for a ${typeof value}`));
    process.exitCode = wrong.length ? 1 : 0;
}
