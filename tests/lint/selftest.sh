#!/bin/sh
# Each linter finds what it is there to find: it is fed a small clean house, which must pass, and then one bad
# file at a time, which must be named.
#   selftest.sh SOURCE_DIR
set -eu
top=$1
lint=$top/tests/lint
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
checks=0
failures=0

# A house in which everything is in order.
fresh() {
    rm -rf "$work/house"
    mkdir -p "$work/house/build"
    cd "$work/house"
    for room in base input model/backends output explore cli; do
        mkdir -p "sim/$room"
    done
    mkdir -p quant tests
    cp "$top/.clang-format" "$top/.clang-tidy" .
    cat >sim/base/err.h <<'C'
/* Errors; exit(1) and printf("x") in a comment are no calls. */
#ifndef ERR_H
#define ERR_H
int sim_twice(int count);
#endif
C
    cat >sim/base/err.c <<'C'
#include "base/err.h"

#include <string.h>

int sim_twice(int count)
{
    const char *text = "abort() and stderr in a string are no calls";
    return 2 * count + (int)(strlen(text) * 0);
}
C
    printf 'typedef struct sim_x {\n    double latency_s;\n} sim_x;\n' >sim/model/types.h
    printf '#include "model/types.h"\n' >sim/model/backend.h
    printf '#include "base/err.h"\n#include "model/backend.h"\n' >sim/model/backends/systolic.c
    printf '#include "base/err.h"\n#include "model/backend.h"\n' >sim/input/arch.c
    printf '#include <libconfig.h>\n' >sim/input/cfg.c
    printf '#include <jansson.h>\n' >sim/base/json.c
    printf '#include "simacc.h"\n\n#include <unistd.h>\n' >sim/cli/main.c
    printf '#include "base/err.h"\n#include "model/types.h"\n' >sim/simacc.h
    printf '#include <gsl/gsl_rng.h>\n' >quant/noise.c
}

# passes LINTER: on the house as it stands.
passes() {
    checks=$((checks + 1))
    if ! sh "$lint/$1.sh" "$work/house" "$work/house/build" >"$work/out" 2>&1; then
        echo "$1.sh complains about a clean house:"
        cat "$work/out"
        failures=$((failures + 1))
    fi
}

# finds LINTER FILE "LINE\n..." WORDS: a file of these lines makes the linter fail with these words.
finds() {
    fresh
    mkdir -p "$(dirname "$2")"
    # shellcheck disable=SC2059 # the lines are the format
    printf "$3" >"$2"
    checks=$((checks + 1))
    status=0
    sh "$lint/$1.sh" "$work/house" "$work/house/build" >"$work/out" 2>&1 || status=$?
    if [ $status = 0 ] || [ $status = 77 ]; then
        echo "$1.sh passed $2: $3"
        failures=$((failures + 1))
    elif ! grep -qF -- "$2" "$work/out" || ! grep -qF -- "$4" "$work/out"; then
        echo "$1.sh failed without saying '$2' and '$4':"
        cat "$work/out"
        failures=$((failures + 1))
    fi
}

fresh
passes layering
passes names

# who may include whom
finds layering sim/base/text.c '#include "model/types.h"\n' "'base' may not include"
finds layering sim/model/run.c '#include "input/arch.h"\n' "'model' may not include"
finds layering sim/model/run.c '#include "simacc.h"\n' "'model' may not include"
finds layering sim/input/llm.c '#include "model/energy.h"\n' "'input' may not include"
finds layering sim/input/llm.c '#include "output/report.h"\n' "'input' may not include"
finds layering sim/model/backends/gpu.c '#include "model/types.h"\n' "'backends' may not include"
finds layering sim/model/backends/gpu.c '#include "base/arena.h"\n' "'backends' may not include"
finds layering sim/cli/cmd_run.c '#include "model/types.h"\n' "'cli' may not include"
finds layering sim/cli/cmd_run.c '#include "input/arch.h"\n' "'cli' may not include"
finds layering sim/explore/search.c '#include "quant/noise.h"\n' "'explore' may not include"
finds layering sim/output/chart.c '#include "explore/sweep.h"\n' "'output' may not include"
finds layering quant/awq.c '#include "model/types.h"\n' "'quant' may not include"
finds layering sim/input/llm.c '#include "../model/energy.h"\n' "without '..'"
finds layering sim/misc/x.c 'int x;\n' "no room of the house"
# third-party libraries at home
finds layering sim/input/arch.c '#include <libconfig.h>\n' "sim/input/cfg.c only"
finds layering sim/output/report.c '#include <jansson.h>\n' "sim/base/json.c only"
finds layering sim/explore/sweep.c '#include <sqlite3.h>\n' "sim/explore/store.c only"
finds layering sim/model/energy.c '#include <gsl/gsl_math.h>\n' "sim/explore/ and quant/ only"
finds layering sim/explore/calibrate.c '#include <cuda_runtime.h>\n' "third-party header"
finds layering sim/explore/calibrate.c '#include <dlfcn.h>\n' "sim/explore/gpu_plugin.c only"
finds layering sim/explore/calibrate.c '#include "cuda_ref/session.h"\n' "'explore' may not include"
finds layering sim/model/run.c '#include "cuda_ref/simacc_cuda.h"\n' "'model' may not include"
finds layering sim/model/run.c '#include <unistd.h>\n' "the core is pure"
# what library code never does
finds layering sim/base/text.c 'void f(void)\n{\n    exit(1);\n}\n' "never exits"
finds layering sim/input/llm.c 'void f(void)\n{\n    abort();\n}\n' "never exits"
finds layering sim/output/report.c 'void f(void)\n{\n    printf("x");\n}\n' "never prints"
finds layering quant/awq.c 'void f(void)\n{\n    fprintf(stderr, "x");\n}\n' "never prints"
finds layering sim/output/chart.c 'void f(void)\n{\n    popen("gnuplot", "w");\n}\n' "starts no program"
finds layering sim/cli/cmd_run.c 'void f(void)\n{\n    exit(1);\n}\n' "main is the only exit"
finds layering sim/model/mapper.c 'void f(void)\n{\n    g(malloc(3));\n}\n' "sim_arena"
finds layering sim/input/param.c 'double f(const char *s)\n{\n    return strtod(s, 0);\n}\n' "sim_parse_real"
finds layering sim/base/hash.c '/* a\n */ int f(void)\n{\n    return rand();\n}\n' "threads would share"

# names
finds names sim/model/x.c '/* TO''DO */\n' "unfinished marks"
finds names sim/model/x.c '/* see /wo''rk/x */\n' "paths of one machine"
finds names docs.md 'see ../sha''red/x\n' "paths of one machine"
finds names sim/model/x.h '    double latency;\n' "no unit"
finds names sim/model/x.h '    double energy_pj, power, area_mm2;\n' "power has no unit"
fresh
awk 'BEGIN { for (i = 0; i < 601; i++) print "" }' >sim/model/long.c
checks=$((checks + 1))
if sh "$lint/names.sh" "$work/house" >"$work/out" 2>&1 || ! grep -q 'sim/model/long.c: 601 lines' "$work/out"; then
    echo "names.sh passed a file of 601 lines"
    failures=$((failures + 1))
fi

# format and clang-tidy, where they are installed
fresh
status=0
sh "$lint/format.sh" "$work/house" >"$work/out" 2>&1 || status=$?
if [ $status != 77 ]; then
    passes format
    finds format sim/base/text.c 'int  f( void ){ return 1; }\n' "not as .clang-format has it"
    finds format tests/test_x.c 'int  f( void ){ return 1; }\n' "not as .clang-format has it"
    finds format cuda_ref/x.cu 'int  f( void ){ return 1; }\n' "not as .clang-format has it"
else
    cat "$work/out"
fi

compile_commands() {
    printf '[{"directory": "%s", "file": "%s", "command": "cc -std=c11 -Isim -c %s"}]\n' \
        "$work/house" "$work/house/$1" "$1" >"$work/house/build/compile_commands.json"
}
tidy_house() {
    fresh
    find sim quant -name '*.c' ! -name err.c -exec rm {} +
    compile_commands sim/base/err.c
}
tidy_house
status=0
sh "$lint/tidy.sh" "$work/house" "$work/house/build" >"$work/out" 2>&1 || status=$?
if [ $status != 77 ]; then
    passes tidy
    tidy_house
    cat >sim/base/err.c <<'C'
#include "base/err.h"

int sim_twice(int count)
{
    int *nowhere = 0;
    return count > 3 ? *nowhere : 2 * count;
}
C
    checks=$((checks + 1))
    if sh "$lint/tidy.sh" "$work/house" "$work/house/build" >"$work/out" 2>&1 ||
        ! grep -q 'clang-analyzer-core.NullDereference' "$work/out"; then
        echo "tidy.sh passed a null dereference:"
        cat "$work/out"
        failures=$((failures + 1))
    fi
else
    cat "$work/out"
fi

# the README's commands
fresh
# readme TEXT pass|fail WORDS
readme() {
    # shellcheck disable=SC2059 # the text is the format
    printf "$1" >"$work/house/README.md"
    checks=$((checks + 1))
    status=0
    sh "$lint/readme_commands.sh" "$work/house" "$work/house/build" >"$work/out" 2>&1 || status=$?
    if { [ "$2" = pass ] && [ $status != 0 ]; } || { [ "$2" = fail ] && [ $status = 0 ]; } ||
        ! grep -qF -- "$3" "$work/out"; then
        printf 'readme_commands.sh should %s with "%s" on:\n%b' "$2" "$3" "$1"
        cat "$work/out"
        failures=$((failures + 1))
    fi
}
readme '# x\n```sh\n$ true\n$ echo a\na\n$ ./run test\n```\n' pass "2 commands, 0 failed"
readme '```sh\n$ false\n```\n' fail "README command failed: false"
readme '```sh\n$ echo a\nb\n```\n' fail "another output"
readme '```sh\n$ echo a\na\nb\n```\n' fail "another output"
readme '```sh\n$ seq 5\n1\n...\n5\n```\n' pass "1 commands, 0 failed"
readme '```sh\n$ seq 5\n1\n...\n3\n```\n' fail "another output"
readme '```sh\n$ echo a \\\n  b\na b\n```\n' pass "1 commands, 0 failed"
readme '```c\n$ true\n```\n' fail "no command"

echo "$checks checks, $failures failed"
[ $failures = 0 ]
