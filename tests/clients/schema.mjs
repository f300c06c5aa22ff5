// Prints what @azure/arm-batch takes for an answer of Resource Manager, in the form that answers.py reads.

import * as mappers from "@azure/arm-batch/dist-esm/src/models/mappers.js";

const simple = { String: "string", Number: "number", Boolean: "boolean", DateTime: "date", any: "any" };

function typeOf({ name, className, element, value, allowedValues }) {
  if (name === "Composite") return { class: className };
  if (name === "Sequence") return { list: typeOf(element.type) };
  if (name === "Dictionary") return { map: typeOf(value.type) };
  if (name === "Enum") return { enum: allowedValues };
  if (!(name in simple)) throw new Error(`a type called ${name}`);
  return simple[name];
}

function membersOf({ type }) {
  return Object.values(type.modelProperties).map(({ serializedName, required, type: inner }) => ({
    path: serializedName.split("."),
    required: !!required,
    type: typeOf(inner),
  }));
}

const wanted = ["BatchAccount", "BatchAccountListResult", "BatchAccountKeys", "CloudError"];
const classes = {};
for (let name; (name = wanted.pop()); ) {
  if (name in classes) continue;
  classes[name] = membersOf(mappers[name]);
  JSON.stringify(classes[name], (key, value) => (key === "class" && wanted.push(value), value));
}
console.log(JSON.stringify(classes));
