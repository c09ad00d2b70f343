# The ledger: every row says what came out, and the exit code follows it.
simacc=$1 source=$2
. "$source/tests/cli/lib.inc"

"$simacc" validate >out 2>err
code=$?
if grep -q MISSED out; then
    [ $code -eq 1 ] || fail "exit code $code with a missed target: $(cat err)"
else
    [ $code -eq 0 ] || fail "exit code $code without a missed target: $(cat err)"
fi
rows=$(grep -cE '^(met|MISSED) ' out)
[ "$rows" -ge 5 ] || fail "only $rows rows: $(cat out)"
grep -q "of $rows targets met" out || fail "no sum: $(tail -n 1 out)"
[ "$(awk 'length > 100' out | wc -l)" -eq 0 ] || fail "wider than 100 columns"

"$simacc" validate --json -o ledger.json
[ $? -eq $code ] || fail "--json exits otherwise"
[ "$(grep -c '"claim"' ledger.json)" -eq "$rows" ] || fail "--json has other rows"

SIMACC_DATA=$scratch
export SIMACC_DATA
run_case 3 validate

exit $failed
