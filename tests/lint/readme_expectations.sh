#!/bin/sh
# The table of what fewer bits bring stands in README.md as plots/expectations.sh makes it.
#   readme_expectations.sh SOURCE_DIR BUILD_DIR      BUILD_DIR holds simacc
set -eu
exec sh "$1/plots/expectations.sh" "$2/simacc" "$1/README.md"
