# What is shipped can be listed, read, and run under the name that the list gives.
simacc=$1 source=$2
. "$source/tests/cli/lib.inc"

run_case 0 list
for heading in arch: workloads: backends:; do
    grep -qx "$heading" out || fail "list: no '$heading'"
done
! grep -q 'cannot be read' out || fail "shipped files cannot be read: $(cat out)"
[ "$(awk 'length > 100' out | wc -l)" -eq 0 ] || fail "wider than 100 columns: $(awk 'length > 100' out)"

run_case 0 list arch
for file in "$source"/arch/*.cfg; do
    prints "$file"
done
run_case 0 list workloads
for file in "$source"/workloads/*.json; do
    prints "$file"
done
run_case 0 list backends
prints systolic
prints bitfusion

# In the folder of the data the names are short enough to type.
cd "$source" || exit 1
"$simacc" list arch | grep -q '^arch/edge.cfg ' || fail "list arch in the source folder: $("$simacc" list arch)"
cd "$scratch" || exit 1

# A broken file is told of and does not hide the others; no folder at all is an error.
mkdir -p data/arch
echo 'name = ;' >data/arch/broken.cfg
cp "$source/arch/edge.cfg" data/arch/
cp -r "$source/arch/tech" data/arch/
SIMACC_DATA=data
export SIMACC_DATA
run_case 0 list arch
prints "data/arch/broken.cfg"
prints "cannot be read: "
prints "data/arch/edge.cfg"
run_case 3 list workloads
says "data/workloads: error: cannot open the folder"

exit $failed
