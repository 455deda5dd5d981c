// Does Envoy know every field of this configuration? Each is looked up in Envoy's own API, which
// @grpc/grpc-js-xds brings, and so is what stands in it: names of enums, durations, kinds of values.
//
// usage: node envoy_config.mjs MODULES FILE
import { createRequire } from 'node:module';
import fs from 'node:fs';
import path from 'node:path';

const modules = path.resolve(process.argv[2]);
const from = createRequire(`${modules}/`);
const protobuf = from('protobufjs');
const apis = path.join(modules, '@grpc/grpc-js-xds/deps');
const folders = ['envoy-api', 'googleapis', 'protoc-gen-validate', 'xds'].map((name) => path.join(apis, name));
folders.push(path.join(modules, 'protobufjs'));

const root = new protobuf.Root();
root.resolvePath = (origin, target) => {
    const found = folders.map((folder) => path.join(folder, target)).find((file) => fs.existsSync(file));
    return found ?? target; // some of google/protobuf is in protobufjs itself
};
const load = (name) => {
    // envoy.config.bootstrap.v3.Bootstrap is in some file of envoy/config/bootstrap/v3.
    const folder = name.split('.').slice(0, -1).join('/');
    const files = fs.readdirSync(path.join(apis, 'envoy-api', folder)).filter((file) => file.endsWith('.proto'));
    root.loadSync(files.map((file) => `${folder}/${file}`), { keepCase: true });
    return root.lookupType(name);
};

const problems = [];
const wrong = (where, what) => problems.push(`${where || 'the file'}: ${what}`);
const is_object = (value) => typeof value === 'object' && value !== null && !Array.isArray(value);

function check_scalar(kind, value, where) {
    const wanted = kind === 'string' || kind === 'bytes' ? 'string' : kind === 'bool' ? 'boolean' : 'number';
    if (typeof value !== wanted) {
        wrong(where, `is to be a ${wanted}`);
    }
}

function check_field(field, value, where) {
    field.resolve();
    if (field.resolvedType instanceof protobuf.Enum) {
        if (!(value in field.resolvedType.values)) {
            wrong(where, `${field.resolvedType.name} has no ${value}`);
        }
    } else if (field.resolvedType) {
        check(field.resolvedType, value, where);
    } else {
        check_scalar(field.type, value, where);
    }
}

function check(type, value, where) {
    const name = type.fullName.slice(1);
    if (name === 'google.protobuf.Duration') {
        return /^\d+(\.\d+)?s$/.test(value) || wrong(where, 'is no duration');
    } else if (/^google\.protobuf\.\w+Value$/.test(name) && type.fields.value) {
        return check_scalar(type.fields.value.type, value, where);
    } else if (!is_object(value)) {
        return wrong(where, `is to have the fields of ${name}`);
    } else if (name === 'google.protobuf.Any') {
        const { '@type': url, ...rest } = value;
        return check(load(String(url).replace('type.googleapis.com/', '')), rest, where);
    }
    const chosen = new Set();
    for (const [key, inner] of Object.entries(value)) {
        const at = where ? `${where}.${key}` : key;
        const field = type.fields[key];
        if (!field) {
            wrong(at, `${name} has no such field`);
            continue;
        }
        if (field.options?.deprecated) {
            wrong(at, 'is deprecated');
        }
        if (field.partOf && chosen.size === chosen.add(field.partOf.name).size) {
            wrong(at, `is not the only one of ${field.partOf.name}`);
        }
        if (field instanceof protobuf.MapField) {
            Object.entries(inner).forEach(([name_of, one]) => check_field(field, one, `${at}.${name_of}`));
        } else if (!field.repeated) {
            check_field(field, inner, at);
        } else if (Array.isArray(inner)) {
            inner.forEach((one, i) => check_field(field, one, `${at}[${i}]`));
        } else {
            wrong(at, 'is to be a list');
        }
    }
}

const config = from('yaml').parse(fs.readFileSync(process.argv[3], 'utf8'));
check(load('envoy.config.bootstrap.v3.Bootstrap'), config, '');
problems.forEach((problem) => console.log(problem));
process.exitCode = problems.length ? 1 : 0;
