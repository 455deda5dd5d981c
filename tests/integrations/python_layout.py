"""For python.bats: does docs/integrations/python/token_verifier.py say what token_verifier.h says?

usage: python_layout.py HEADER

Prints a C program. It prints, by its compiler, what this module and the header both know, and ends
with 1 where they differ. What the header has and the module has not ends this one.
"""

import ctypes
import re
import sys

import token_verifier as module

STRUCTURES = {
    "token_verifier_options": module.Options,
    "token_verifier_header": module.Header,
    "token_verifier_request": module.Request,
    "token_verifier_result": module.Result,
}
CONSTANTS = {
    "TOKEN_VERIFIER_MESSAGE_SIZE": module.MESSAGE_SIZE,
    "TOKEN_VERIFIER_ID_SIZE": module.ID_SIZE,
    "TOKEN_VERIFIER_NAME_SIZE": module.NAME_SIZE,
    "TOKEN_VERIFIER_SCOPES_SIZE": module.SCOPES_SIZE,
    "TOKEN_VERIFIER_REFUSED": module.REFUSED,
    "TOKEN_VERIFIER_ACCEPTED": module.ACCEPTED,
    "TOKEN_VERIFIER_MODE_OPEN": module.MODE_OPEN,
    "sizeof(enum token_verifier_reason)": ctypes.sizeof(ctypes.c_int),
    "sizeof(bool)": ctypes.sizeof(ctypes.c_bool),
}

# Members and functions by their names, for one that is added may fit into what was padding.
with open(sys.argv[1]) as file:
    header = re.sub(r"/\*.*?\*/", "", file.read(), flags=re.S)
bodies = dict(re.findall(r"^struct (\w+) \{(.*?)^\};", header, flags=re.S | re.M))
assert bodies.keys() == STRUCTURES.keys(), bodies.keys()
for name, body in bodies.items():
    members = re.findall(r"(\w+)(?:\[\w+\])?;", body)
    assert members == [field[0] for field in STRUCTURES[name]._fields_], (name, members)
functions = set(re.findall(r"\b(token_verifier_\w+)\(", header))
with open(module.__file__) as file:
    called = set(re.findall(r"\.(token_verifier_\w+)", file.read()))
assert functions == called, functions ^ called

print('#include <stddef.h>\n#include <stdio.h>\n#include "token_verifier.h"\nint main(void) { int wrong = 0;')


def same(expression, value):
    print(f'printf("%s %lld\\n", "{expression}", (long long)({expression}));')
    print(f"wrong |= (long long)({expression}) != {value}LL;")


for name, structure in STRUCTURES.items():
    same(f"sizeof(struct {name})", ctypes.sizeof(structure))
    for field in structure._fields_:
        same(f"offsetof(struct {name}, {field[0]})", getattr(structure, field[0]).offset)
        same(f"sizeof(((struct {name} *)0)->{field[0]})", getattr(structure, field[0]).size)
for expression, value in CONSTANTS.items():
    same(expression, value)
print(f"wrong |= TOKEN_VERIFIER_NEVER != {module.NEVER + 1}LL - 1;")
print("return wrong; }")
