# Usage errors: exit code 2, a message with a way out on stderr, nothing on stdout.
simacc=$1 source=$2
. "$source/tests/cli/lib.inc"

run_case 2
says "no command given"
run_case 2 rnu
says "unknown command 'rnu'"
says "did you mean 'run'?"
run_case 2 frobnicate
says "unknown command 'frobnicate'"
says "'simacc help' lists the commands"
run_case 2 --vresion
says "did you mean '--version'?"
run_case 2 --json
says "options follow the command"

run_case 2 run
says "run: missing ARCH"
run_case 2 run "$arch"
says "run: missing WORKLOAD"
says "see 'simacc help run'"
run_case 2 run "$arch" "$workload" extra
says "run: unexpected operand 'extra'"
run_case 2 run "$arch" "$workload" --polcy w4a8
says "unknown option '--polcy'"
says "did you mean '--policy'?"
run_case 2 run "$arch" "$workload" --polcy=w4a8 --jsno
says "did you mean '--policy'?"
says "did you mean '--json'?"
run_case 2 run "$arch" "$workload" -x
says "unknown option '-x'"
run_case 2 run "$arch" "$workload" --policy
says "option '--policy' needs a value"
run_case 2 run "$arch" "$workload" --policy --json
says "option '--policy' needs a value"
run_case 2 run "$arch" "$workload" --json=yes
says "option '--json' takes no value"
run_case 2 run "$arch" "$workload" --json --csv
says "--json and --csv exclude each other"
run_case 2 run "$arch" "$workload" -o same --trace same
says "name the same file 'same'"
[ ! -e same ] || fail "a usage error wrote a file"

run_case 2 run "$arch" "$workload" --objective latnecy
says "unknown value 'latnecy'"
says "did you mean 'latency'?"
says "balanced latency energy edp dram"
run_case 2 run "$arch" "$workload" --phase warmup
says "one of: prefill decode"
run_case 2 run "$arch" "$workload" --phase ''
for option in --batch --context --prompt; do
    for value in 0 -1 1.5 x '' 9223372036854775808 ' 1' 1e3; do
        run_case 2 run "$arch" "$workload" $option "$value"
        says "option '$option': '$value' is not a positive integer"
    done
done
for setting in array.rows =32 ''; do
    run_case 2 run "$arch" "$workload" --set "$setting"
    says "is not KEY=VALUE"
done

run_case 2 list arhc
says "did you mean 'arch'?"
run_case 2 list arch workloads
says "list: unexpected operand 'workloads'"
run_case 2 help polcy
says "did you mean 'policy'?"
run_case 2 help frobnicate
says "unknown topic 'frobnicate'"
run_case 2 validate --jsno
says "did you mean '--json'?"

# All that is wrong is said at once.
run_case 2 run "$arch" "$workload" --batch 0 --objective x --set y
[ "$(grep -c error: err)" -eq 3 ] || fail "not three errors: $(cat err)"

# What is not wrong: --name=value, options before operands, "--" before operands.
run_case 0 run --policy=w4a8 --json -- "$arch" "$workload"
prints '"policy": "w4a8"'
# The last of a repeated option counts.
run_case 0 run "$arch" "$workload" --policy w8a8 --policy w4a8 --json
prints '"policy": "w4a8"'

exit $failed
