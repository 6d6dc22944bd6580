// Holds objects of Kubernetes, a JSON list on standard input, against the schemas of the npm package
// kubernetes-models. A field that the validator never asks for is one that the schema does not know.
// Exit status: 0 all are good, 1 one is not, 77 there is no such package here.
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { readFileSync } from 'node:fs';
import path from 'node:path';

function folderOfPackage() {
    for (const folder of [process.cwd(), ...(process.env.NODE_PATH ?? '').split(':')].filter(Boolean)) {
        try {
            const require = createRequire(path.join(folder, 'x.js'));
            return path.dirname(require.resolve('kubernetes-models/package.json'));
        } catch {
            try {
                readFileSync(path.join(folder, 'kubernetes-models/package.json'));
                return path.join(folder, 'kubernetes-models');
            } catch { /* the next one */ }
        }
    }
    console.log('skipped: no npm package kubernetes-models here (npm install -g kubernetes-models, NODE_PATH)');
    process.exit(77);
}

const folder = folderOfPackage();

async function validatorOf(object) {
    const [group, version] = object.apiVersion.includes('/') ? object.apiVersion.split('/') : ['core', object.apiVersion];
    const word = (text) => text[0].toUpperCase() + text.slice(1);
    const name = `IoK8sApi${word(group)}${word(version)}${object.kind}.js`;
    return (await import(pathToFileURL(path.join(folder, '_schemas', name)))).validate;
}

// Free names, as of labels, are asked for one by one.
function watched(value, place, asked) {
    if (typeof value !== 'object' || value === null)
        return value;
    return new Proxy(value, {
        get(target, key) {
            if (typeof key === 'string')
                asked.add(`${place}/${key}`);
            return watched(target[key], `${place}/${String(key)}`, asked);
        },
    });
}

function allFields(value, place) {
    if (typeof value !== 'object' || value === null)
        return [];
    return Object.keys(value).flatMap((key) => [`${place}/${key}`, ...allFields(value[key], `${place}/${key}`)]);
}

let bad = 0;
for (const object of JSON.parse(readFileSync(0, 'utf8'))) {
    const validate = await validatorOf(object);
    const asked = new Set();
    const name = `${object.kind} ${object.metadata.name}`;
    if (!validate(watched(object, '', asked))) {
        console.log(`${name}: ${JSON.stringify(validate.errors)}`);
        bad++;
    }
    for (const field of allFields(object, '').filter((field) => !asked.has(field))) {
        console.log(`${name}: no such field: ${field}`);
        bad++;
    }
}
process.exit(bad ? 1 : 0);
