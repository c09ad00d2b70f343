#!/bin/sh
# Every C file is as .clang-format has it. The output differs between versions of the tool: 14 decides.
#   format.sh SOURCE_DIR
set -eu
top=$1

for tool in clang-format-14 clang-format; do
    if command -v "$tool" >/dev/null 2>&1 && "$tool" --version | grep -q 'version 14\.'; then
        cd "$top"
        status=0
        for file in $(find sim quant tests cuda_ref -name '*.[ch]' -o -name '*.cpp' -o -name '*.cu' -o -name '*.cuh' 2>/dev/null |
            LC_ALL=C sort); do
            "$tool" --style=file "$file" | cmp -s - "$file" || {
                echo "$file: not as .clang-format has it: $tool -i $file"
                status=1
            }
        done
        exit $status
    fi
done
echo "skipped: no clang-format of version 14"
exit 77
